"""What later requests and errors need, imported before they come; a caller that asks once is spared it."""

from __future__ import annotations

import threading
from contextlib import suppress

from udist_plugin.exhaustion import raise_descriptor_limit
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class WarmUp:
    """Imports it once, and ``more`` with it, before the second request is served.

    Later there may be no descriptor left to do so. And where a thread's import fails for that, another that
    imports the same can get half a module: so all requests but the first wait until this is done.
    """

    def __init__(self, more: Callable[[], None]) -> None:
        self._more = more
        self._lock = threading.Lock()
        self._asked = False
        self._done = False

    def before_request(self) -> None:
        """Returns once the request may be served."""
        if self._done:
            return
        with self._lock:
            if self._asked:
                self._load()
            self._asked = True

    def now(self) -> None:
        """Does not wait for a second request."""
        with self._lock:
            self._load()

    def _load(self) -> None:
        if self._done:
            return
        with suppress(OSError):
            import traceback  # noqa: F401

            import udist_plugin.server.log_formats  # noqa: F401
        raise_descriptor_limit()
        self._more()
        self._done = True
