"""Tasks that wait for exchanges which another thread reads."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from udist_plugin.client.attendant import Attendant
from udist_plugin.client.bridge import Bridge
from udist_plugin.errors import DeadlineExceeded
from udist_plugin.link.waiter import Waiter


class Guarded(Waiter):
    """Its watcher is changed under ``lock`` alone: the reader, who calls it, holds that."""

    def __init__(self, lock: threading.Lock) -> None:
        super().__init__(deadline=time.monotonic())
        self.lock = lock

    def __setattr__(self, name: str, value: object) -> None:
        if name == "watcher" and hasattr(self, "lock"):
            assert self.lock.locked()
        super().__setattr__(name, value)


def test_the_reader_never_meets_a_task_that_leaves() -> None:
    lock = threading.Lock()
    link: Any = SimpleNamespace(lock=lock, cancel=lambda *_: None)
    exchange: Any = Guarded(lock)

    async def wait() -> None:
        with pytest.raises(DeadlineExceeded):
            await Attendant(link, Bridge(1)).wait(exchange, lambda: False)

    anyio.run(wait)
    assert exchange.watcher is None
