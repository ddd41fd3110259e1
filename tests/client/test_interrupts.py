"""Ctrl-C in a thread that waits for an answer."""

from __future__ import annotations

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import COMMAND
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@pytest.fixture
def handled() -> Iterator[threading.Semaphore]:
    """Counts the interrupts that the main thread has taken; SIGUSR1 sends one."""
    count = threading.Semaphore(0)

    def interrupt(_: int, __: FrameType | None) -> None:
        count.release()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield count
    signal.signal(signal.SIGUSR1, before)


def test_ctrl_c_again_and_again_leaves_the_lock_as_it_was(handled: threading.Semaphore) -> None:
    """Interrupted in its sleep, the main thread wants the lock back, and is interrupted in that as well."""
    main = threading.main_thread().ident
    assert main is not None

    def interrupt_thrice(plugin: Plugin) -> None:
        link = plugin._link
        while True:
            with link.lock:
                if len(link.role._sleeping) != 1:
                    continue
                for _ in range(3):
                    signal.pthread_kill(main, signal.SIGUSR1)
                    while not handled.acquire(
                        timeout=0.1
                    ):  # it came just before the call that it is to break
                        signal.pthread_kill(main, signal.SIGUSR1)
                    while "interrupt" not in sys._current_frames()[main].f_locals:
                        assert link.lock.locked()
                return

    with Plugin(command=COMMAND) as plugin, ThreadPoolExecutor(2) as pool:
        stalled = pool.submit(lambda: plugin.request("GET", "/stall", timeout=60).read())
        while plugin._link.role._reader is None or not plugin._link.connection.streams:
            assert not stalled.done()
        interrupting = pool.submit(interrupt_thrice, plugin)
        with pytest.raises(KeyboardInterrupt):
            plugin.request("GET", "/stall", timeout=60)
        interrupting.result(60)
        with plugin.request("GET", "/resume", timeout=60) as response:
            assert response.status == 204
        assert stalled.result(60) == b"late"
