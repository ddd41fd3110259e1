"""Where things stand when nobody says so."""

from __future__ import annotations

import os
import sys


def default_root() -> str:
    """The store's folder inside the user's data folder."""
    if sys.platform != "linux":
        import platformdirs

        return platformdirs.user_data_dir("udist", appauthor=False)
    # The XDG base directory specification's one rule; platformdirs, which follows it too, takes longer to
    # import than the plugin to start.
    data = os.environ.get("XDG_DATA_HOME", "").strip()
    return os.path.join(data if os.path.isabs(data) else os.path.expanduser("~/.local/share"), "udist")
