"""WSGI middleware around the registry: health checks, metrics and the access log."""
