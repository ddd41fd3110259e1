"""Repositories in one archive, which is an OCI layout, and back."""
