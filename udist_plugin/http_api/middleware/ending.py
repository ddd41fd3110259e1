"""When a response has been sent."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def when_ended(result: Any, act: Callable[[], object]) -> None:
    """Calls ``act`` when ``result``, a response's content, is closed, or now if there is nothing to close or
    its ``close`` cannot be replaced. It is not wrapped, because servers recognize their own file wrapper and
    have the kernel send the file."""
    if isinstance(result, tuple):
        act()
        return
    close = getattr(result, "close", lambda: None)

    def closed() -> None:
        try:
            close()
        finally:
            act()

    try:
        result.close = closed
    except AttributeError:
        act()
