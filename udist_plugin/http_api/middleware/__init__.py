"""WSGI middleware around the registry: health checks and the access log."""
