"""A plugin that dies, or stops to be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.wire.encoding import encode_data_head

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("death")


@theme.core
def exits_instead_of_answering(run: Run) -> None:
    """The plugin ends while a request waits for its response."""
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange)
    plugin.end(1)
    exchange.fails()


@theme.core
def killed_in_a_response(run: Run) -> None:
    """The plugin is killed in the middle of a response: content that was cut is not taken for whole."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(b"hello")
    plugin.await_written()
    plugin.kill()
    exchange.fails()


@theme.core
def ends_within_a_frame(run: Run) -> None:
    """Standard output ends in the middle of a frame."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200)
    plugin.raw(encode_data_head(stream.id, 1000, True) + bytes(10), "half a frame")
    plugin.await_written()
    plugin.end(0)
    exchange.fails()


@theme.core
def text_instead_of_a_response(run: Run) -> None:
    """Text on standard output where a frame should begin."""
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange)
    plugin.raw(b"Oops, a print\n", "text")
    exchange.fails()


@theme.core
def a_frame_too_long(run: Run) -> None:
    """The client rejects a frame longer than any may be, and waits for none of it."""
    plugin = run.start()
    exchange = run.exchange()
    run.accepted(exchange)
    plugin.raw(b"\0\xff\xff\xff\xff", "a frame of 4294967295 bytes")
    exchange.fails()
