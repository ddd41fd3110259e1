"""udist: an OCI registry that programs spawn instead of deploy."""

__version__ = "0.1.0"
