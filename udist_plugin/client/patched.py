"""gevent and eventlet put greenlets in the place of threads. They are looked at and never imported."""

from __future__ import annotations

import sys

from udist_plugin.errors import TransportError
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import NoReturn

EVENTLET: Final = (
    "eventlet has patched threading or select, and its select cannot wait for a plugin; patch sockets alone, "
    "eventlet.monkey_patch(all=False, socket=True), and call the plugin by eventlet.tpool.execute"
)
GEVENT: Final = (
    "gevent has patched threading and not select, so that a wait for the plugin would stop every greenlet; "
    "patch both, gevent.monkey.patch_all()"
)


def check_patches() -> None:
    """Raises ``TransportError`` for patches under which waits for a plugin would fail or never end."""
    eventlet, gevent = sys.modules.get("eventlet.patcher"), sys.modules.get("gevent.monkey")
    if eventlet and any(eventlet.is_monkey_patched(each) for each in ("thread", "select")):
        _refuse(EVENTLET)
    if gevent and gevent.is_module_patched("threading") and not gevent.is_module_patched("select"):
        _refuse(GEVENT)


def _refuse(message: str) -> NoReturn:
    raise TransportError(message, code="FAILED_PRECONDITION")
