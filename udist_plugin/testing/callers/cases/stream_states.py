"""Each cell of the caller's table in section 3: every frame in every state of a stream."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.errors import Unexpected
from udist_plugin.testing.callers.pattern import pattern
from udist_plugin.testing.callers.tables import STREAM_CELLS, STREAM_STATES
from udist_plugin.wire.constants import INITIAL_CREDIT, INITIAL_STREAMS, MAX_CREDIT
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import End, Frame, Request, Reset, Response, WindowUpdate

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.testing.callers.exchange import Exchange
    from udist_plugin.testing.callers.plugin import Plugin
    from udist_plugin.testing.callers.run import Run
    from udist_plugin.testing.callers.stream import Stream
    from udist_plugin.wire.frames import Body

theme = Theme("stream-states")

MORE = 1000
"""Bytes of content that wait for credit."""


def _frame(body: Body, *, last: bool = False) -> Callable[[int], bytes]:
    return lambda stream_id: encode(Frame(stream_id, body, last))


def _data(length: int, *, last: bool = False) -> Callable[[int], bytes]:
    return lambda stream_id: encode_data_head(stream_id, length, last) + pattern(length)


NINE = [("content-length", b"9")]
UPPER = [("Upper", b"")]

FRAMES: dict[str, Callable[[int], bytes]] = {
    "request": _frame(Request("GET", "http", "localhost", "/")),
    "response": _frame(Response(200)),
    "response, last": _frame(Response(200), last=True),
    "response that may not travel": _frame(Response(200, UPPER)),
    "response that may not travel, last": _frame(Response(200, UPPER), last=True),
    "response, last, with a content-length above 0": _frame(Response(200, NINE), last=True),
    "response without content, last, with a content-length above 0": _frame(Response(304, NINE), last=True),
    "data": _data(1),
    "data, last": _data(1, last=True),
    "data of nothing": _data(0),
    "data of nothing, last": _data(0, last=True),
    "data beyond its credit": _data(INITIAL_CREDIT + 1),
    "data beyond its content-length": _data(10),
    "data in a response without content": _data(1),
    "data, last, short of its content-length": _data(8, last=True),
    "end": _frame(End()),
    "end short of its content-length": _frame(End()),
    "end with trailers that may not travel": _frame(End(UPPER)),
    "window_update": _frame(WindowUpdate(MORE)),
    "window_update of 0": _frame(WindowUpdate(0)),
    "window_update beyond the largest credit": _frame(WindowUpdate(MAX_CREDIT)),
    "reset with OK": _frame(Reset("OK")),
    "reset with another code": _frame(Reset("CANCELLED")),
}


def _play(row: str, state: str, cell: str, run: Run) -> None:
    plugin = run.start()
    bystander = run.open()
    run.accepted(bystander)
    exchange = None if state == "never opened" else _brought_to(state, row, run, plugin)
    stream = plugin.find(exchange.target) if exchange else None
    plugin.raw(FRAMES[row](stream.id if stream else max(plugin.streams) + 2), f"{row}, on a stream {state}")
    if cell.startswith("**"):
        bystander.fails("INTERNAL")
        if exchange and state in ("waiting", "content"):
            exchange.read("*")
            exchange.fails("INTERNAL")
        run.breaks()
        return
    assert exchange
    assert stream
    if cell.startswith("dropped"):
        _dropped(run, plugin, stream, cell)
    else:
        _taken(exchange, stream, row, state, cell)
    bystander.read("*")
    run.answer(bystander)


def _brought_to(state: str, row: str, run: Run, plugin: Plugin) -> Exchange:
    """An exchange whose stream is in ``state``, ready for the frame of ``row``."""
    sends = state == "ended" or row.startswith("window_update")
    exchange = run.open("PUT", "+") if sends else run.open()
    stream = run.accepted(exchange)
    if row == "window_update" and state in ("waiting", "content"):
        exchange.write(INITIAL_CREDIT + MORE)
        stream.await_content(INITIAL_CREDIT)
    match state:
        case "content":
            status = 204 if "without content" in row else 200
            stream.respond(status, {"content-length": "9"} if "content-length" in row else {})
            plugin.ping()  # its user may learn of a short one once it has ended
        case "ended":
            stream.respond(200, end=True)
            exchange.answered(200)
        case "given up":
            exchange.cancel()
            stream.await_reset("CANCELLED")
        case "closed":
            stream.respond(200, end=True)
            if sends:
                stream.reset("OK")
            exchange.read("*")
            exchange.succeeds(200)
    return exchange


def _dropped(run: Run, plugin: Plugin, stream: Stream, cell: str) -> None:
    """Nothing has happened, but that the plugin's last frame for the stream has come, if it was that."""
    if stream.closed:
        plugin.ping()
        return
    others = [run.open() for _ in range(INITIAL_STREAMS - 2)]
    for other in others:
        run.accepted(other)
    waiting = run.open()
    if cell == "dropped":
        plugin.ping()
        if plugin.find(waiting.target):
            raise Unexpected(f"a request came while all slots were in use, one by {stream}")
        stream.reset("CANCELLED")
    stream.closed = True
    for each in (*others, waiting):
        run.accepted(each).respond(204, end=True)
    waiting.read("*")
    waiting.succeeds(204)


def _taken(exchange: Exchange, stream: Stream, row: str, state: str, cell: str) -> None:
    """The frame says something about an exchange that is open."""
    what, _, code = cell.partition(" ")
    last = "last" in row or row.startswith("end")
    match what:
        case "head" | "data" | "end":
            content = {"data": pattern(1), "data, last": pattern(1)}.get(row, b"")
            if not last:
                stream.end()
            stream.closed = True
            exchange.read("*")
            exchange.succeeds(304 if "without content" in row else 200, content)
        case "credit" if state == "ended":  # it may send on, or wait for the reset
            stream.credit += MORE
            stream.reset("OK")
            exchange.read("*")
            exchange.succeeds(200)
        case "credit":
            stream.credit += MORE
            stream.await_content(INITIAL_CREDIT + MORE)
            exchange.end()
            stream.await_end()
            stream.end() if state == "content" else stream.respond(200, end=True)
            exchange.read("*")
            exchange.succeeds(200)
        case "error":
            exchange.read("*")
            exchange.fails(code)
            if not last:
                stream.await_reset(code)
                stream.reset(code)
            stream.closed = True
        case "reset":
            stream.closed = True
            exchange.read("*")
            if code == "OK":
                exchange.succeeds(200)
            elif state != "ended":  # a response that is whole may count
                exchange.fails(code)


for _row, _cells in STREAM_CELLS.items():
    for _state, _cell in zip(STREAM_STATES, _cells, strict=True):
        theme.add(
            f"{_row}-{_state}".replace(", ", "-").replace(" ", "-"),
            f"{_row}, on a stream {_state}: {_cell}",
            functools.partial(_play, _row, _state, _cell),
        )
