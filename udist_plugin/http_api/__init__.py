"""The distribution-spec's HTTP API as a WSGI application over any ``Registry``."""
