"""Signatures of images: by cosign keys and GPG keys, in registries and beside them."""
