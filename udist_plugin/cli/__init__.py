"""The ``udist`` command, and ``udist-plugin``: the only rooms that print."""
