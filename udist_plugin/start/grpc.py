"""Nothing: in place of its ``.pyc`` stands the cache of the gRPC server's start. See ``bundle``."""
