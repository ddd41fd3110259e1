"""The commands ``udist`` and ``udist-plugin``, the only code that prints."""
