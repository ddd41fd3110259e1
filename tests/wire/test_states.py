"""What the state tables leave open: bounds, and ids that no stream has; ``test_vectors`` runs the tables."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.vectors.protocol_text import table
from tests.wire.categories import CATEGORIES
from tests.wire.sides import Caller, Plugin
from udist_plugin.errors import RemoteProtocolError
from udist_plugin.wire.constants import SMALL_CREDIT
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Body, Frame, Ping, Request, Reset, Response, Settings, WindowUpdate
from udist_plugin.wire.plugin import PluginConnection

HELLO = encode(Frame(0, Settings([1])))
REQUEST = Request("PUT", "http", "localhost", "/")


def plugin(*frames: bytes) -> Plugin:
    side = Plugin()
    for frame in (HELLO, *frames):
        side.receive(frame)
    return side


def caller(*opened: int) -> Caller:
    side = Caller()
    side.receive(HELLO)
    for number in opened:
        side.send(Frame(number, REQUEST), None)
    return side


def request(number: int) -> bytes:
    return encode(Frame(number, REQUEST))


def ends_as(event: Any, name: str) -> bool:
    """Whether ``event`` is the connection error of this name."""
    return isinstance(event, dict) and bool(re.match(CATEGORIES[name], event.get("connection_error", "")))


def test_every_frame_has_its_row() -> None:
    for first in ("from the caller", "from the plugin"):
        named = {row[first].split(" ")[0].strip(",") for row in table(first)}
        assert {"request", "response", "data", "end", "window_update", "reset"} == named


def test_refusals_are_bounded() -> None:
    """A caller that opens more and more streams and reads nothing."""
    side = plugin()
    slots = side.connection.max_streams
    for number in range(3 * slots):
        event = side.receive(request(2 * number + 1))
        assert event in ("head", "dropped", {"refused": "RESOURCE_EXHAUSTED"})
    assert ends_as(side.receive(request(6 * slots + 1)), "refusals")
    assert len(side.connection.streams) == slots
    assert len(side.connection.take_control()) < 100 * 2 * slots


def test_refusals_are_bounded_by_the_slots_there_are() -> None:
    connection = PluginConnection(memory=0, max_streams=200)
    connection.receive(Frame(0, Settings([1])))
    request = REQUEST._replace(initial_credit=SMALL_CREDIT)
    for number in range(3 * 200):
        connection.receive(Frame(2 * number + 1, request))
    assert len(connection.streams) == 200
    with pytest.raises(RemoteProtocolError, match=CATEGORIES["refusals"]):
        connection.receive(Frame(6 * 200 + 1, REQUEST))


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("body", [WindowUpdate(1), Reset("CANCELLED")])
def test_even_ids_are_never_opened(number: int, body: Body) -> None:
    frame = encode(Frame(number, body))
    for side in (plugin(request(1), request(3), request(5)), caller(1, 3, 5)):
        assert ends_as(side.receive(frame), "never-opened")
    assert ends_as(caller(1, 3, 5).receive(encode(Frame(number, Response(200)))), "never-opened")


@pytest.mark.parametrize("number", [2, 6, 8])
def test_a_request_on_an_even_id_is_refused_though_it_is_the_next(number: int) -> None:
    assert ends_as(plugin(request(1), request(5)).receive(request(number)), "stream-id")


def test_pings_owe_one_pong() -> None:
    side = plugin(*(encode(Frame(0, Ping(token))) for token in range(1000)))
    assert side.connection.take_control() == encode(Frame(0, Ping(999, True)))
    assert not side.connection.owes_control
