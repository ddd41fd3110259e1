"""Ordinary exchanges: requests, responses, content and trailers."""

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
    """A response of unknown length, in frames of various sizes, ended by an empty one."""
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
    """An HTTP error is a response, not a failed exchange."""
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
    """A request with content, and a response without."""
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
    """The client sends what its credit allows, and the rest as more is granted."""
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
def pings_in_a_row(run: Run) -> None:
    """Of many pings in a row, at least the last is answered."""
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    for token in range(1, 1000):
        plugin.send(Ping(token))
    for token in (0, (1 << 32) - 1):
        plugin.send(Ping(token))
        plugin.await_pong(token)
    stream.respond(200, end=True)
    exchange.succeeds(200)


@theme.core
def push_of_nothing(run: Run) -> None:
    """A request with a content-length of 0."""
    run.start()
    exchange = run.exchange("PUT", 0)
    stream = run.accepted(exchange)
    stream.await_end()
    stream.respond(201, end=True)
    exchange.succeeds(201)


@theme.case
def push_of_unknown_length(run: Run) -> None:
    """A request with content whose length is not announced."""
    run.start()
    exchange = run.open("PATCH", "+")
    stream = run.accepted(exchange)
    exchange.write(1000)
    exchange.end()
    stream.await_end()
    stream.await_content(1000)
    if "content-length" in dict(stream.request.fields):
        raise Unexpected(f"the request has a content-length: {stream.request.fields}")
    stream.respond(202, end=True)
    exchange.read("*")
    exchange.succeeds(202)


@theme.core
def fields_as_they_are(run: Run) -> None:
    """Repeated fields keep their order, and empty and long values arrive unchanged."""
    run.start()
    exchange = run.exchange(fields=("x-many:one", "x-many:two", "x-long:" + "v" * 4000))
    stream = run.accepted(exchange)
    many = [value for name, value in stream.request.fields if name == "x-many"]
    if many not in ([b"one", b"two"], [b"one, two"]):
        raise Unexpected(f"expected x-many to be one and two, not {many}")
    if ("x-long", b"v" * 4000) not in stream.request.fields:
        raise Unexpected("the field x-long is not the 4000 bytes that it was given")
    stream.respond(200, {"x-empty": "", "x-long": "w" * 4000}, end=True)
    exchange.succeeds(200)
    if not {("x-empty", ""), ("x-long", "w" * 4000)} <= set(exchange.fields):
        raise Unexpected("of the response's fields x-empty and x-long one is not what was sent")


@theme.core
def short_of_its_length(run: Run) -> None:
    """A response that ends before its content-length: the exchange fails with INTERNAL."""
    run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200, {"content-length": "6"})
    stream.data(b"hello", end=True)
    exchange.fails("INTERNAL")
    run.works()


@theme.case
def in_any_order(run: Run) -> None:
    """Concurrent exchanges are answered out of order, with interleaved content."""
    run.start()
    exchanges = [run.open() for _ in range(8)]
    streams = [run.accepted(exchange) for exchange in exchanges]
    for stream in reversed(streams):
        stream.respond(200)
    for number in range(3):
        for stream in streams:
            stream.data(pattern(100, 100 * number), end=number == 2)
    for exchange in exchanges[::2] + exchanges[1::2]:
        exchange.read("*")
        exchange.succeeds(200, pattern(300))


@theme.case
def read_in_parts(run: Run) -> None:
    """Reads need not match the frames' boundaries."""
    run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    stream.respond(200)
    for start in range(0, 1000, 100):
        stream.data(pattern(100, start), end=start == 900)
    exchange.answered(200)
    for start, count in ((0, 1), (1, 250), (251, 649)):
        exchange.read(count)
        exchange.has_read(pattern(count, start))
    exchange.read(1000)
    exchange.has_read(pattern(100, 900))
    exchange.ends()


@theme.case
def write_in_parts(run: Run) -> None:
    """Content that is written piece by piece is sent without waiting for its end."""
    run.start()
    exchange = run.open("PUT", 1600)
    stream = run.accepted(exchange)
    for number in range(1, 16):
        exchange.write(100)
        stream.await_content(100 * number)
    exchange.write(100)
    exchange.end()
    stream.await_end()
    stream.await_content(1600)
    stream.respond(201, end=True)
    exchange.read("*")
    exchange.succeeds(201)


@theme.case
def trailers_of_a_response(run: Run) -> None:
    """A response that ends with trailers."""
    run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(b"hello")
    stream.end([("x-checksum", b"1"), ("x-more", b"2")])
    exchange.read("*")
    exchange.succeeds(200, b"hello", [("x-checksum", "1"), ("x-more", "2")])


@theme.case
def trailers_of_a_request(run: Run) -> None:
    """Trailers of a request, announced in its head."""
    run.start()
    exchange = run.open("PUT", "+", fields=("trailer:x-checksum",))
    stream = run.accepted(exchange)
    exchange.write(5)
    exchange.end("x-checksum:1")
    stream.await_end()
    if list(stream.trailers) != [("x-checksum", b"1")]:
        raise Unexpected(f"expected the trailer x-checksum, not {stream.trailers}")
    stream.respond(201, end=True)
    exchange.read("*")
    exchange.succeeds(201)
