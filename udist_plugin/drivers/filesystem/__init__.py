"""A folder of the local file system."""
