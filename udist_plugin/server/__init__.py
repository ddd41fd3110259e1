"""The plugin's side: owns the standard streams and serves any WSGI application over ``wire``."""
