"""How far a command is that goes through a store."""

from __future__ import annotations

import sys
from contextlib import contextmanager

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], object]]:
    """Shows a count on a terminal: how many manifests have been read, for instance."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield lambda count: print(f"\r{count} {what}", end="", file=sys.stderr, flush=True)
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
