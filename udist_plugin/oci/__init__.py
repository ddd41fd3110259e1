"""Values of the OCI specifications: digests, references, descriptors, manifests. They import nothing of ours
but the errors they raise."""
