"""A plugin that stops in the middle of a frame holds nobody beyond a deadline, and may go on later."""

from __future__ import annotations

import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.client.halting import COMMAND, CONTENT
from tests.client.test_interrupts import handled
from tests.link.waiting import until
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import Cancelled, DeadlineExceeded, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.client.response import Response

__all__ = ["handled"]


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    with Plugin(command=COMMAND) as plugin:
        yield plugin


def go(plugin: Plugin) -> None:
    """The plugin writes what is missing, and what follows is understood."""
    with plugin.request("GET", "/go", timeout=30) as response:
        assert response.status == 204
    assert not plugin.link.connection.streams


def cut(response: Response, error: type[TransportError]) -> None:
    """Reading ends with an error, again and again."""
    for _ in range(2):
        with pytest.raises(error):
            response.read()


def stopped(plugin: Plugin) -> bool:
    """Whether a payload is being read, of which nothing more comes."""
    return bool(plugin.link.intake._missing) and not any(
        stream.owner.inbox.writing for stream in plugin.link.connection.streams.values()
    )


def test_whoever_reads_leaves_at_its_deadline(plugin: Plugin) -> None:
    begun = time.monotonic()
    response = plugin.request("GET", "/content", timeout=0.3)
    cut(response, DeadlineExceeded)
    assert time.monotonic() - begun < 10
    go(plugin)
    cut(response, DeadlineExceeded)


def test_whoever_waits_for_a_long_head_leaves_at_its_deadline(plugin: Plugin) -> None:
    with pytest.raises(DeadlineExceeded):
        plugin.request("GET", "/head", timeout=0.3)
    go(plugin)


def test_whoever_sleeps_leaves_at_its_deadline(plugin: Plugin) -> None:
    """Another thread reads, into the buffer of the one that sleeps."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(plugin.request, "GET", "/wait", timeout=60)
        until(lambda: plugin.link.role._reader is not None)
        response = plugin.request("GET", "/content", timeout=0.3)
        cut(response, DeadlineExceeded)
        assert not waiting.done()
        go(plugin)
        assert waiting.result().status == 204
    cut(response, DeadlineExceeded)


@pytest.mark.parametrize("reader", ["reads", "sleeps"])
def test_whoever_is_cancelled_leaves_at_once(plugin: Plugin, reader: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        if reader == "sleeps":
            waiting = pool.submit(plugin.request, "GET", "/wait", timeout=60)
            until(lambda: plugin.link.role._reader is not None)
        response = plugin.request("GET", "/content", timeout=60)
        reading = pool.submit(response.read)
        until(lambda: stopped(plugin))
        response.close()
        with pytest.raises(Cancelled):
            reading.result(10)
        go(plugin)
        if reader == "sleeps":
            assert waiting.result().status == 204
    cut(response, Cancelled)


def test_content_that_pauses_is_read_whole(plugin: Plugin) -> None:
    """Whoever reads on behalf of another leaves in the middle of the frame."""
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(plugin.request, "GET", "/wait", timeout=0.5)
        until(lambda: plugin.link.role._reader is not None)
        response = plugin.request("GET", "/content", timeout=60)
        reading = pool.submit(response.read)
        with pytest.raises(DeadlineExceeded):
            waiting.result()
        assert not reading.done()
        go(plugin)
        assert reading.result() == CONTENT


def test_patience_begins_anew_with_every_byte(plugin: Plugin) -> None:
    """A frame may take longer than patience lasts, as it does over a slow connection."""
    with ThreadPoolExecutor(2) as pool:
        response = plugin.request("GET", "/content", patience=60)
        reading = pool.submit(response.read)
        until(lambda: stopped(plugin))
        exchange, missing = plugin.link.intake._exchange, plugin.link.intake._missing
        before = exchange.until
        more = pool.submit(plugin.request, "GET", "/more", timeout=60)
        until(lambda: plugin.link.intake._missing < missing and stopped(plugin))
        assert exchange.until > before
        go(plugin)
        assert more.result().status == 204
        assert reading.result() == CONTENT


def test_ctrl_c_within_a_frame_loses_that_response_alone(
    plugin: Plugin, handled: threading.Semaphore
) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        until(lambda: stopped(plugin) and sys._current_frames()[main].f_code.co_name == "wait_for")
        signal.pthread_kill(main, signal.SIGUSR1)

    with plugin.request("GET", "/content", timeout=60) as response, ThreadPoolExecutor(1) as pool:
        interrupting = pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            response.read()
        interrupting.result()
        cut(response, Cancelled)
    go(plugin)


@pytest.mark.parametrize("target", ["/content", "/head", "/prefix"])
def test_a_frame_that_stands_still_ends_the_link(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.client.link.STALL", 0.3)
    with Plugin(command=COMMAND) as plugin:
        with pytest.raises(TransportError, match=r"no byte of a frame arrived for 0\.3 s"):
            plugin.request("GET", target, timeout=60).read()
        with pytest.raises(TransportError, match=r"no byte of a frame arrived for 0\.3 s"):
            plugin.request("GET", "/go")
