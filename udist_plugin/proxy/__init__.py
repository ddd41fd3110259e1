"""A registry that is a cache of others."""
