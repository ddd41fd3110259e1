"""Every frame in every state: exactly what PROTOCOL.md's tables say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.wire.categories import CATEGORIES
from tests.wire.protocol_text import table
from tests.wire.sides import Caller, Plugin, Side
from udist_plugin.errors import RemoteProtocolError
from udist_plugin.wire.constants import INITIAL_CREDIT, MAX_CREDIT
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import (
    End,
    Frame,
    GoAway,
    Log,
    Ping,
    Request,
    Reset,
    Response,
    Settings,
    WindowUpdate,
)
from udist_plugin.wire.plugin import PluginConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.wire.frames import Body, Fields

HELLO = encode(Frame(0, Settings([1])))
UPPER: Fields = [("Upper", b"")]


def head(body: Body, *, last: bool = False) -> bytes:
    return encode(Frame(1, body, last))


def data(length: int, *, last: bool = False) -> bytes:
    return encode_data_head(1, length, last) + bytes(length)


def request(fields: Fields = ()) -> Request:
    return Request("PUT", "http", "localhost", "/", fields)


INPUTS: dict[str, bytes] = {
    "request": head(request()),
    "response": head(Response(200)),
    "response, last": head(Response(200), last=True),
    "response that may not travel": head(Response(200, UPPER)),
    "data": data(1),
    "data, last": data(1, last=True),
    "data of nothing": data(0),
    "data of nothing, last": data(0, last=True),
    "data beyond its credit": data(INITIAL_CREDIT + 1),
    "data beyond its content-length": data(2),
    "end": head(End()),
    "end with trailers that may not travel": head(End(UPPER)),
    "window_update": head(WindowUpdate(MAX_CREDIT - INITIAL_CREDIT)),
    "window_update of 0": head(WindowUpdate(0)),
    "reset": head(Reset("CANCELLED")),
    "reset with OK": head(Reset("OK")),
    "reset with another code": head(Reset("CANCELLED")),
}

ONE_BYTE: Fields = [("content-length", b"1")]
"""What the streams are opened with that get data beyond their content-length."""


def plugin(*frames: bytes) -> Plugin:
    side = Plugin()
    for frame in (HELLO, *frames):
        side.receive(frame)
    return side


def refused(fields: Fields) -> Plugin:
    side = plugin(head(request([*fields, *UPPER])))
    assert not side.connection.streams
    return side


def finished(fields: Fields) -> Plugin:
    side = plugin(head(request(fields)))
    stream = side.streams[1]
    side.connection.respond(stream, Response(200), True)
    side.connection.finish(stream)
    return side


def given_up_and_finished(fields: Fields) -> Plugin:
    side = plugin(head(request(fields)), head(Reset("CANCELLED")))
    side.connection.finish(side.streams[1])
    return side


def ended(fields: Fields) -> Plugin:
    return plugin(head(request(fields)), data(1, last=True))


PLUGIN_STATES: dict[str, list[Callable[[Fields], Plugin]]] = {
    "never opened": [lambda fields: plugin()],
    "open": [
        lambda fields: plugin(head(request(fields))),
    ],
    "ended": [ended],
    "reset": [
        lambda fields: plugin(head(request(fields)), head(Reset("CANCELLED"))),
        lambda fields: plugin(head(request(ONE_BYTE)), data(2)),
    ],
    "closed": [refused, finished, given_up_and_finished],
}


def caller(*frames: bytes, opened: bool = True, last: bool = False, give_up: bool = False) -> Caller:
    side = Caller()
    side.receive(HELLO)
    if opened:
        side.send(Frame(1, request(), last), None)
    for frame in frames:
        side.receive(frame)
    if give_up:
        side.connection.reset(side.streams[1], "CANCELLED")
    return side


CALLER_STATES: dict[str, list[Callable[[], Caller]]] = {
    "never opened": [lambda: caller(opened=False)],
    "waiting": [caller, lambda: caller(last=True)],
    "content": [
        lambda: caller(head(Response(200))),
        lambda: caller(head(Response(200)), last=True),
    ],
    "ended": [
        lambda: caller(head(Response(200), last=True)),
        lambda: caller(head(Response(200)), head(End())),
    ],
    "given up": [
        lambda: caller(give_up=True),
        lambda: caller(head(Response(200)), last=True, give_up=True),
        lambda: caller(head(Response(200), last=True), give_up=True),
        lambda: caller(head(Response(200, UPPER), last=True)),
        lambda: caller(head(Response(200, UPPER))),
        lambda: caller(head(Response(200, ONE_BYTE)), data(2)),
    ],
    "closed": [
        lambda: caller(head(Response(200), last=True), last=True),
        lambda: caller(head(Response(200, UPPER), last=True), last=True),
        lambda: caller(head(Response(200), last=True), head(Reset("OK"))),
        lambda: caller(head(Reset("CANCELLED"))),
    ],
}


def cases(first: str, states: dict[str, list[Any]]) -> list[Any]:
    """(state's builder, input, cell) of the table whose first column is ``first``."""
    found = []
    for row in table(first):
        name = row.pop(first)
        assert list(row) == list(states)
        for state, cell in row.items():
            for number, build in enumerate(states[state]):
                found.append(pytest.param(build, name, cell, id=f"{name}-{state}-{number}"))
    return found


def check(side: Side, event: str | dict[str, str], cell: str) -> None:
    if isinstance(event, dict):
        if name := re.fullmatch(r"\*\*([\w-]+)\*\*", cell):
            assert re.match(CATEGORIES[name[1]], event["connection_error"]), event
        else:
            assert cell == f"error {event['stream_error']}"
    elif event == "reset" and " " in cell:
        stream = side.streams[1]
        assert stream.reset is not None
        assert cell == f"reset {stream.reset.code}"
    else:
        assert event == cell


@pytest.mark.parametrize(("build", "name", "cell"), cases("from the caller", PLUGIN_STATES))
def test_plugin(build: Callable[[Fields], Plugin], name: str, cell: str) -> None:
    side = build(ONE_BYTE if "content-length" in name else ())
    check(side, side.receive(INPUTS[name]), cell)


@pytest.mark.parametrize(("build", "name", "cell"), cases("from the plugin", CALLER_STATES))
def test_caller(build: Callable[[], Caller], name: str, cell: str) -> None:
    side = build()
    slots = side.slots
    event = side.receive(INPUTS[name])
    check(side, event, cell.removesuffix(", closed"))
    if event == "dropped":
        assert side.slots == slots - cell.endswith("closed")


CONNECTION_INPUTS: dict[str, list[bytes]] = {
    "settings": [HELLO],
    "settings without a common version": [encode(Frame(0, Settings([2])))],
    "ping": [encode(Frame(0, Ping(7)))],
    "ping with ack": [encode(Frame(0, Ping(7, True)))],
    "go_away": [encode(Frame(0, GoAway(0, "UNAVAILABLE")))],
    "log": [encode(Frame(0, Log("info", "hello")))],
    "request, response, end, data, window_update, reset": [
        INPUTS[name] for name in ("request", "response", "end", "data", "window_update", "reset")
    ],
}


@pytest.mark.parametrize("kind", [Caller, Plugin])
@pytest.mark.parametrize("row", table("frame", "before the peer's settings"), ids=lambda row: row["frame"])
def test_connection(kind: Callable[[], Side], row: dict[str, str]) -> None:
    for frame in CONNECTION_INPUTS[row["frame"]]:
        early = kind()
        check(early, early.receive(frame), row["before the peer's settings"])
        if "section 3" not in row["after them"]:
            late = kind()
            late.receive(HELLO)
            check(late, late.receive(frame), row["after them"])


BODIES: list[Body] = [
    Settings([1]),
    request(),
    Response(200),
    End(),
    WindowUpdate(1),
    Reset("OK"),
    Ping(1),
    GoAway(0, "OK"),
    Log("info", ""),
]


@pytest.mark.parametrize("kind", [Caller, Plugin])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_stream_zero_and_end_stream(kind: Callable[[], Side], body: Body) -> None:
    side = kind()
    if not isinstance(body, Settings):
        side.receive(HELLO)
    about_connection = isinstance(body, Settings | Ping | GoAway | Log)
    wrong = encode(Frame(1 if about_connection else 0, body))
    check(side, side.receive(wrong), "**stream-zero**")
    if not isinstance(body, Request | Response):
        check(side, side.receive(encode(Frame(0 if about_connection else 1, body, True))), "**end-stream**")


def test_every_frame_has_its_row() -> None:
    for first in ("from the caller", "from the plugin"):
        named = {row[first].split(" ")[0].strip(",") for row in table(first)}
        assert {"request", "response", "data", "end", "window_update", "reset"} == named


def test_refusals_are_bounded() -> None:
    """A caller that opens more and more streams and reads nothing."""
    side = plugin()
    slots = side.connection.max_streams
    for number in range(3 * slots):
        event = side.receive(encode(Frame(2 * number + 1, request())))
        assert event in ("head", "dropped", {"refused": "RESOURCE_EXHAUSTED"})
    check(side, side.receive(encode(Frame(6 * slots + 1, request()))), "**refusals**")
    assert len(side.connection.streams) == slots
    assert len(side.connection.take_control()) < 100 * 2 * slots


def test_refusals_are_bounded_by_the_slots_there_are() -> None:
    connection = PluginConnection(memory=0, max_streams=200)
    connection.receive(Frame(0, Settings([1])))
    for number in range(3 * 200):
        connection.receive(Frame(2 * number + 1, request()))
    with pytest.raises(RemoteProtocolError, match=CATEGORIES["refusals"]):
        connection.receive(Frame(6 * 200 + 1, request()))


@pytest.mark.parametrize("number", [2, 4])
def test_even_ids_are_never_opened(number: int) -> None:
    opened = head(request()), encode(Frame(3, request())), encode(Frame(5, request()))
    for side, body in (
        (plugin(*opened), request()),
        (plugin(*opened), WindowUpdate(1)),
        (plugin(*opened), Reset("CANCELLED")),
    ):
        assert "connection_error" in side.receive(encode(Frame(number, body)))
    for answer in (WindowUpdate(1), Response(200)):
        opening = caller()
        for opened_id in (3, 5):
            opening.send(Frame(opened_id, request()), None)
        assert "connection_error" in opening.receive(encode(Frame(number, answer)))


@pytest.mark.parametrize("number", [2, 6, 8])
def test_a_request_on_an_even_id_is_refused_though_it_is_the_next(number: int) -> None:
    check(plugin(), plugin().receive(encode(Frame(number, request()))), "**stream-id**")


def test_pings_owe_one_pong() -> None:
    side = plugin(*(encode(Frame(0, Ping(token))) for token in range(1000)))
    assert side.connection.take_control() == encode(Frame(0, Ping(999, True)))
    assert not side.connection.owes_control
