"""Nothing: in place of its ``.pyc`` stands the cache of the plugin's start. See ``bundle``."""
