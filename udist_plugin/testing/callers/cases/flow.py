"""Flow control, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.wire.constants import INITIAL_CREDIT, MAX_CREDIT

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("flow-control")

AHEAD: Final = 4 << 20
"""Bytes that a client may take in of a response that its user does not read, at most: its own buffers."""


@theme.core
def no_credit(run: Run) -> None:
    """The client sends as much as the first credit allows, and waits for more."""
    plugin = run.start()
    exchange = run.exchange("PUT", 4 * INITIAL_CREDIT)
    stream = run.accepted(exchange)
    stream.await_content(INITIAL_CREDIT)
    plugin.ping()
    plugin.ping()
    stream.grant(3 * INITIAL_CREDIT)
    stream.await_end()
    stream.respond(201, end=True)
    exchange.succeeds(201)


@theme.core
def credit_byte_by_byte(run: Run) -> None:
    """Credit that is granted in small amounts adds up."""
    run.start()
    exchange = run.exchange("PUT", INITIAL_CREDIT + 100)
    stream = run.accepted(exchange)
    for _ in range(100):
        stream.grant(1)
    stream.await_end()
    stream.respond(201, end=True)
    exchange.succeeds(201)


@theme.core
def credit_to_the_maximum(run: Run) -> None:
    """Credit may grow to 2^31-1."""
    run.start()
    exchange = run.exchange("PUT", 2 * INITIAL_CREDIT)
    stream = run.accepted(exchange)
    stream.await_content(INITIAL_CREDIT)
    stream.grant(MAX_CREDIT)
    stream.await_end()
    stream.respond(201, end=True)
    exchange.succeeds(201)


@theme.core
def credit_after_the_end(run: Run) -> None:
    """A window_update after the request's end is not an error."""
    run.start()
    exchange = run.exchange("PUT", 10)
    stream = run.accepted(exchange)
    stream.await_end()
    stream.grant(1000)
    stream.respond(201)
    stream.grant(1000)
    stream.end()
    exchange.succeeds(201)
    run.works()


@theme.core
def credit_of_each_stream(run: Run) -> None:
    """Credit that one stream has not used does not count for another."""
    run.start()
    for _ in range(2):
        exchange = run.exchange("PUT", INITIAL_CREDIT + 1)
        stream = run.accepted(exchange)
        stream.await_content(INITIAL_CREDIT)
        stream.grant(INITIAL_CREDIT)
        stream.await_end()
        stream.respond(201, end=True)
        exchange.succeeds(201)


@theme.core
def granted_as_it_is_read(run: Run) -> None:
    """The client grants credit as it reads a long response."""
    run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    content = pattern(12 * INITIAL_CREDIT)
    stream.respond(200, {"content-length": str(len(content))})
    stream.data_as_granted(content)
    exchange.succeeds(200, content)


@theme.case
def granted_after_a_read(run: Run) -> None:
    """The client grants more credit once the first is used up and read."""
    run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(pattern(INITIAL_CREDIT))
    exchange.answered(200)
    exchange.read(INITIAL_CREDIT)
    exchange.has_read(pattern(INITIAL_CREDIT))
    stream.await_window(INITIAL_CREDIT // 2)
    stream.data(b"end", end=True)
    exchange.read("*")
    exchange.has_read(b"end")
    exchange.ends()


@theme.case
def not_granted_unread(run: Run) -> None:
    """For a response that nobody reads, the client grants at most 4 MiB."""
    plugin = run.start()
    waiting, exchange = run.open(), run.open()
    run.accepted(waiting)
    stream = run.accepted(exchange)
    stream.respond(200)
    exchange.answered(200)
    sent = 0
    while stream.window:
        if sent > AHEAD:
            raise Unexpected(f"the client granted credit for {sent} bytes that nobody has read")
        length = stream.window
        stream.data(pattern(length, sent))
        sent += length
        plugin.await_written()
        plugin.ping()
        plugin.ping()  # an update that the first overtook
    exchange.read("*")
    stream.await_window(1)
    stream.data(pattern(1, sent), end=True)
    exchange.has_read(pattern(sent + 1))
    exchange.ends()
    waiting.read("*")
    run.answer(waiting)


@theme.case
def unread_beside_others(run: Run) -> None:
    """A response that nobody reads does not stall others."""
    run.start()
    unread = run.open()
    stalled = run.accepted(unread)
    stalled.respond(200)
    stalled.data(pattern(INITIAL_CREDIT))
    other = run.exchange()
    stream = run.accepted(other)
    content = pattern(5 * INITIAL_CREDIT)
    stream.respond(200)
    stream.data_as_granted(content)
    other.succeeds(200, content)
    unread.read("*")
    stalled.await_window(1)
    stalled.data(b"", end=True)
    unread.succeeds(200, pattern(INITIAL_CREDIT))


@theme.case
def waiting_beside_others(run: Run) -> None:
    """A request that waits for credit does not stall others."""
    run.start()
    waiting = run.open("PUT", "+")
    stalled = run.accepted(waiting)
    waiting.write(2 * INITIAL_CREDIT)
    stalled.await_content(INITIAL_CREDIT)
    other = run.exchange("PUT", 5 * INITIAL_CREDIT)
    stream = run.accepted(other)
    stream.grant(4 * INITIAL_CREDIT)
    stream.await_end()
    stream.respond(201, end=True)
    other.succeeds(201)
    stalled.grant(INITIAL_CREDIT)
    waiting.has_written(1)
    waiting.end()
    stalled.await_end()
    stalled.respond(201, end=True)
    waiting.read("*")
    waiting.succeeds(201)
