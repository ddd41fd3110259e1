"""Nothing: in place of its ``.pyc`` stands the cache of the command's start. See ``bundle``."""
