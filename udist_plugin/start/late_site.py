"""Runs ``site`` when something is imported that is neither in the standard library nor in this package.

Python runs it before anything else. A plugin that needs nothing that is installed saves a tenth of its start,
and more where packages are installed as links to a checkout.
"""

from __future__ import annotations

import sys
import threading

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS: Final = __name__.partition(".")[0]

LOOKS_AROUND: Final = "importlib.metadata"
"""In the standard library, but about what is installed."""

PATIENCE: Final = 5.0
"""Seconds to wait for another thread that runs ``site``: it may be waiting for what this one imports."""


class LateSite:
    """Goes first on ``sys.meta_path`` of an interpreter started with ``-S``, and finds no module itself.

    ``more`` are folders for the end of ``sys.path``. ``wanted`` is whether to run ``site`` before that.
    """

    def __init__(self, more: Sequence[str], *, wanted: bool) -> None:
        self._more = more
        self._wanted = wanted
        self._lock = threading.RLock()
        self._begun = self._done = False

    def find_spec(self, name: str, *_: object) -> None:
        """See ``importlib.abc.MetaPathFinder``."""
        first = name.partition(".")[0]
        if self._done or first == OURS or (first in sys.stdlib_module_names and name != LOOKS_AROUND):
            return
        held = self._lock.acquire(timeout=PATIENCE)
        try:
            if not self._begun:  # ``site`` imports modules itself
                self._begun = True
                self._look_around()
                self._done = True
        finally:
            if held:
                self._lock.release()

    def _look_around(self) -> None:
        if self._wanted:
            import site

            site.main()
        sys.path += [path for path in self._more if path not in sys.path]
