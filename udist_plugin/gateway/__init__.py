"""A registry behind a port, for the life of one command: ``udist exec``."""
