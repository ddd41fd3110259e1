"""Files and folders as OCI artifacts, in the form that oras uses."""
