"""Registries on the network: connections, redirects, and patience with servers that are busy."""
