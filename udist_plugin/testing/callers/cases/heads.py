"""Heads and trailers of responses: those that may travel, and those that may not."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.wire.frames import Response

if TYPE_CHECKING:
    from udist_plugin.testing.callers.run import Run
    from udist_plugin.wire.frames import Fields

theme = Theme("heads")

WRONG: dict[str, Response] = {
    "status-0": Response(0),
    "status-100": Response(100),
    "status-199": Response(199),
    "status-600": Response(600),
    "an-upper-case-name": Response(200, [("Etag", b"x")]),
    "an-empty-name": Response(200, [("", b"x")]),
    "a-name-with-a-space": Response(200, [("a b", b"x")]),
    "a-line-break": Response(200, [("x-a", b"a\r\nb: c")]),
    "a-null-byte": Response(200, [("x-a", b"a\0b")]),
    "a-delete-character": Response(200, [("x-a", b"\x7f")]),
    "connection": Response(200, [("connection", b"close")]),
    "keep-alive": Response(200, [("keep-alive", b"timeout=5")]),
    "transfer-encoding": Response(200, [("transfer-encoding", b"chunked")]),
    "upgrade": Response(200, [("upgrade", b"h2c")]),
    "a-signed-length": Response(200, [("content-length", b"+1")]),
    "an-empty-length": Response(200, [("content-length", b"")]),
    "a-list-of-lengths": Response(200, [("content-length", b"5, 5")]),
    "a-length-of-20-digits": Response(200, [("content-length", b"1" * 20)]),
    "two-lengths": Response(200, [("content-length", b"1"), ("content-length", b"2")]),
}
"""What may not travel: a stream error, INTERNAL."""

RIGHT: dict[str, Response] = {
    "status-599": Response(599),
    "many-bytes": Response(200, [("x-a", bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)]))]),
    "a-name-of-signs": Response(200, [("!#$%&'*+-.^_`|~09az", b"x")]),
    "a-length-with-zeros": Response(200, [("content-length", b"0005")]),
    "a-length-twice": Response(200, [("content-length", b"5"), ("content-length", b"5")]),
}
"""What may, though few would send it."""

TRAILERS: dict[str, Fields] = {
    "an-upper-case-trailer": [("Etag", b"x")],
    "a-line-break-in-a-trailer": [("x-a", b"a\r\nb: c")],
    "a-connection-trailer": [("connection", b"close")],
}
"""What may not travel behind content: a stream error, INVALID_ARGUMENT."""


def _wrong(head: Response, run: Run) -> None:
    plugin = run.start()
    exchange = run.open()
    stream = run.accepted(exchange)
    plugin.send(head, stream.id)
    exchange.fails("INTERNAL")
    stream.await_reset("INTERNAL")
    stream.reset("INTERNAL")
    run.works()


def _right(head: Response, run: Run) -> None:
    plugin = run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    plugin.send(head, stream.id)
    stream.data(b"hello", end=True)
    exchange.succeeds(head.status, b"hello")
    name, value = head.fields[0] if head.fields else ("", b"")
    if name not in ("", "content-length") and not any(key == name for key, _ in exchange.fields):
        raise Unexpected(f"the field {name}: {value!r} is missing: {exchange.fields}")


def _trailers(trailers: Fields, run: Run) -> None:
    run.start()
    exchange = run.exchange()
    stream = run.accepted(exchange)
    stream.respond(200)
    stream.data(b"hello")
    stream.end(trailers)
    exchange.fails("INVALID_ARGUMENT")
    run.works()


for _name, _head in WRONG.items():
    theme.add(_name, "a stream error, INTERNAL", functools.partial(_wrong, _head))
for _name, _trailer in TRAILERS.items():
    theme.add(_name, "a stream error, INVALID_ARGUMENT", functools.partial(_trailers, _trailer))
for _name, _head in RIGHT.items():
    theme.add(_name, "a head that may travel", functools.partial(_right, _head))


@theme.case
def content_of_a_response_to_head(run: Run) -> None:
    """Data in the response to HEAD is a stream error."""
    run.start()
    exchange = run.open("HEAD")
    stream = run.accepted(exchange)
    stream.respond(200, {"content-length": "5"})
    stream.data(b"hello", end=True)
    exchange.read("*")
    exchange.fails("INTERNAL")
    run.works()


@theme.case
def no_content_of_a_response_to_head(run: Run) -> None:
    """The response to HEAD may end with an empty data frame or an end frame."""
    run.start()
    for trailers in ([], [("x-checksum", b"1")]):
        exchange = run.exchange("HEAD")
        stream = run.accepted(exchange)
        stream.respond(200, {"content-length": "5"})
        stream.end(trailers) if trailers else stream.data(b"", end=True)
        exchange.answered(200)
        exchange.has_read(b"")
        exchange.over()


@theme.case
def fields_about_the_connection(run: Run) -> None:
    """Fields of the user that never travel are removed, or the request is refused."""
    plugin = run.start()
    exchange = run.exchange(fields=("connection:close", "te:trailers", "expect:100-continue", "x-a:b"))
    plugin.until(lambda: plugin.find(exchange.target) or exchange.failure, f"the request of {exchange}")
    if stream := plugin.find(exchange.target):
        if "expect" in dict(stream.request.fields):
            raise Unexpected("the request has the field expect, which the client has to answer itself")
        run.answer(exchange)
    run.works()
