"""Exchanges as they should be: requests, responses, content and trailers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.wire.constants import INITIAL_CREDIT
from udist_plugin.wire.frames import Ping

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run

theme = Theme("exchanges")


@theme.core
def get(run: Run) -> None:
    """A response with content in one frame."""
    run.start()
    exchange = run.exchange(fields=("accept:*/*", "x-two-words:a b"))
    stream = run.accepted(exchange)
    stream.await_end()
    if not {("accept", b"*/*"), ("x-two-words", b"a b")} <= set(stream.request.fields):
        raise Unexpected(f"the request's fields are missing: {stream.request.fields}")
    stream.respond(200, {"content-length": "2", "x-two-words": "c d"})
    stream.data(b"{}", end=True)
    exchange.succeeds(200, b"{}")
    if ("x-two-words", "c d") not in exchange.fields:
        raise Unexpected(f"the response's fields are missing: {exchange.fields}")


@theme.core
def get_in_pieces(run: Run) -> None:
    """A response of unknown length in frames of all sizes, which an empty one ends."""
    run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200)
    for length in (1, 127, 128, 1000, 65536):
        stream.data(bytes(length))
    stream.data(b"", end=True)
    exchange.succeeds(200, bytes(66792))


@theme.core
def get_large(run: Run) -> None:
    """A response longer than the first credit: the client grants more as it reads."""
    run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    content = pattern(4 * INITIAL_CREDIT)
    stream.respond(200, {"content-length": str(len(content))})
    stream.data_as_granted(content)
    exchange.succeeds(200, content)


@theme.core
def not_found(run: Run) -> None:
    """An HTTP error is a response, and no failure of the exchange."""
    run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(404, {"content-length": "2"})
    stream.data(b"{}", end=True)
    exchange.succeeds(404, b"{}")


@theme.core
def head(run: Run) -> None:
    """The response to HEAD announces content that does not follow."""
    run.start()
    exchange = run.exchange("HEAD")
    run.accepted(exchange).respond(200, {"content-length": "1000"}, end=True)
    exchange.succeeds(200)


@theme.core
def no_content(run: Run) -> None:
    """204 has no content."""
    run.start()
    exchange = run.exchange("DELETE")
    run.accepted(exchange).respond(204, end=True)
    exchange.succeeds(204)


@theme.core
def not_modified(run: Run) -> None:
    """304 announces content that does not follow."""
    run.start()
    exchange = run.exchange()
    run.accepted(exchange).respond(304, {"content-length": "1000"}, end=True)
    exchange.succeeds(304)


@theme.core
def push(run: Run) -> None:
    """A request's content, and a response without any."""
    run.start()
    exchange = run.exchange("PUT", 1000)
    stream = run.accepted(exchange)
    stream.await_end()
    stream.await_content(1000)
    if ("content-length", b"1000") not in stream.request.fields:
        raise Unexpected(f"the request has no content-length: {stream.request.fields}")
    stream.respond(201, end=True)
    exchange.succeeds(201)


@theme.core
def push_large(run: Run) -> None:
    """The client sends what it has credit for, and the rest as it gets more."""
    run.start()
    exchange = run.exchange("PUT", 2_000_000)
    stream = run.accepted(exchange)
    stream.await_content(INITIAL_CREDIT)
    for credit in (1, 65_535, 1_048_576, 623_744):
        expected = stream.received + credit
        stream.grant(credit)
        stream.await_content(expected)
    stream.await_end()
    stream.respond(201, end=True)
    exchange.succeeds(201)


@theme.core
def one_after_another(run: Run) -> None:
    """Many exchanges on one connection."""
    run.start()
    for number in range(100):
        exchange = run.exchange()
        stream = run.accepted(exchange)
        stream.respond(200)
        stream.data(pattern(number), end=True)
        exchange.succeeds(200, pattern(number))


@theme.core
def early_answer(run: Run) -> None:
    """The response ends before the request, and reset(OK) follows: the response counts, and sending ends."""
    run.start()
    exchange = run.exchange("PUT", 1_000_000)
    stream = run.accepted(exchange)
    stream.await_content(INITIAL_CREDIT)
    stream.respond(413, {"content-length": "2"})
    stream.data(b"{}", end=True)
    stream.refuse("OK")
    exchange.succeeds(413, b"{}")
    another = run.exchange()
    run.accepted(another).respond(200, end=True)
    another.succeeds(200)


@theme.core
def ping(run: Run) -> None:
    """The client answers pings with the same token, also in the middle of an exchange."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    plugin.ping()
    stream.respond(200)
    plugin.ping()
    plugin.send(Ping(77, True))
    stream.data(b"x", end=True)
    exchange.succeeds(200, b"x")


@theme.core
def reset(run: Run) -> None:
    """The plugin resets a response: the exchange fails with its code, and the next one works."""
    run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200, {"content-length": "9"})
    stream.data(b"hello")
    stream.refuse("DATA_LOSS", "a file ended")
    exchange.fails("DATA_LOSS", saying="a file ended")
    another = run.exchange()
    run.accepted(another).respond(200, end=True)
    another.succeeds(200)
