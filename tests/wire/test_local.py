"""What this side may not send is refused before a byte is written, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import LocalProtocolError
from udist_plugin.wire.caller import CallerConnection
from udist_plugin.wire.constants import (
    INITIAL_CREDIT,
    INITIAL_STREAMS,
    MAX_CONTROL,
    MAX_CREDIT,
    MAX_DATA,
    MAX_MESSAGE,
    MAX_STREAM_ID,
    PREFIX_SIZE,
)
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.frames import Frame, GoAway, Request, Reset, Response, Settings, WindowUpdate
from udist_plugin.wire.plugin import PluginConnection

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.wire.stream import Stream

GET = Request("GET", "http", "localhost", "/")


@pytest.fixture
def caller() -> CallerConnection:
    connection = CallerConnection(memory=0)
    connection.receive(Frame(0, Settings([1])))
    return connection


@pytest.fixture
def plugin() -> PluginConnection:
    connection = PluginConnection(memory=0)
    connection.receive(Frame(0, Settings([1])))
    connection.receive(Frame(1, GET, True))
    return connection


@pytest.mark.parametrize(
    ("send", "problem"),
    [
        (lambda c, s: c.send_data(s, 0, False), "data of 0 bytes"),
        (lambda c, s: c.send_data(s, INITIAL_CREDIT + 1, False), "on 262144 bytes of credit"),
        (lambda c, s: c.send_end(s, [("Upper", b"")]), "not a lower-case token"),
        (lambda c, s: c.send_end(s, [("x", b"x" * MAX_CONTROL)]), "exceeds the limit"),
        (lambda c, s: (c.send_end(s), c.send_data(s, 1, False)), "data on stream 1, which has ended"),
        (lambda c, s: (c.send_data(s, 1, True), c.send_end(s)), "an end on stream 1, which has ended"),
        (lambda c, s: (c.reset(s, "CANCELLED"), c.send_end(s)), "an end on stream 1, which was reset"),
        (lambda c, s: c.open(GET._replace(method="G T"), True), "is not a token"),
        (lambda c, s: c.open(GET._replace(timeout_ms=1 << 32), True), "not a number of 32 bits"),
        (lambda c, s: c.open(GET._replace(target="/" + "x" * MAX_CONTROL), True), "exceeds the limit"),
    ],
)
def test_a_caller_s_mistake(
    caller: CallerConnection, send: Callable[[CallerConnection, Stream], object], problem: str
) -> None:
    stream, _ = caller.open(GET, False)
    with pytest.raises(LocalProtocolError, match=problem):
        send(caller, stream)
    following, _ = caller.open(GET, False)
    assert following.id == 3
    assert caller.send_data(following, INITIAL_CREDIT, True)


@pytest.mark.parametrize(
    ("send", "problem"),
    [
        (lambda c, s: c.send_data(s, 1, False), "data on stream 1, which waits for its head"),
        (lambda c, s: c.send_end(s), "an end on stream 1, which waits for its head"),
        (lambda c, s: c.respond(s, Response(100), False), "status 100 is not between"),
        (lambda c, s: c.respond(s, Response(200, [("te", b"x")]), False), "never travels"),
        (
            lambda c, s: [c.respond(s, Response(200), False) for _ in "12"],
            "a head on stream 1, which has begun",
        ),
        (
            lambda c, s: (c.receive(Frame(1, Reset("CANCELLED"))), c.respond(s, Response(200), False)),
            "a head on stream 1, which was reset",
        ),
    ],
)
def test_a_plugin_s_mistake(
    plugin: PluginConnection, send: Callable[[PluginConnection, Stream], object], problem: str
) -> None:
    with pytest.raises(LocalProtocolError, match=problem):
        send(plugin, plugin.streams[1])
    assert plugin.finish(plugin.streams[1], "INTERNAL")
    assert not plugin.streams


def test_a_payload_has_its_limit_beside_credit(caller: CallerConnection) -> None:
    stream, _ = caller.open(GET, False)
    caller.receive(Frame(1, WindowUpdate(MAX_CREDIT - INITIAL_CREDIT)))
    assert caller.send_data(stream, MAX_DATA, False)
    with pytest.raises(LocalProtocolError, match="data of 1048577 bytes"):
        caller.send_data(stream, MAX_DATA + 1, False)


def test_slots_are_waited_for(caller: CallerConnection) -> None:
    for _ in range(INITIAL_STREAMS):
        caller.open(GET, True)
    assert not caller.can_open
    with pytest.raises(LocalProtocolError, match="no stream can be opened now"):
        caller.open(GET, True)
    caller.receive(Frame(1, Response(200), True))
    assert caller.open(GET, True)[0].id == 2 * INITIAL_STREAMS + 1


def test_a_stream_given_up_keeps_its_slot_until_the_plugin_says_its_last(caller: CallerConnection) -> None:
    streams = [caller.open(GET, False)[0] for _ in range(INITIAL_STREAMS)]
    for stream in streams[:24]:
        assert caller.reset(stream, "CANCELLED")
    assert not caller.can_open
    caller.receive(Frame(1, Reset("CANCELLED")))
    assert caller.open(GET, True)[0].id == 2 * INITIAL_STREAMS + 1
    assert not caller.can_open


@pytest.mark.parametrize(("announced", "slots"), [(0, 64), (1, 64), (65, 65), (1000, 1000)])
def test_settings_only_raise_the_slots(announced: int, slots: int) -> None:
    caller = CallerConnection(memory=0)
    for _ in range(64):
        caller.open(GET, True)
    caller.receive(Frame(0, Settings([1], announced)))
    while caller.can_open:
        caller.open(GET, True)
    assert len(caller.streams) == slots


def test_stream_ids_are_used_up(caller: CallerConnection) -> None:
    caller.highest_id = MAX_STREAM_ID - 2
    assert caller.open(GET, True)[0].id == MAX_STREAM_ID
    assert caller.exhausted
    with pytest.raises(LocalProtocolError, match="no stream can be opened now"):
        caller.open(GET, True)


def test_nothing_is_opened_on_a_plugin_that_goes_away(caller: CallerConnection) -> None:
    caller.receive(Frame(0, GoAway(0, "UNAVAILABLE")))
    assert caller.exhausted
    with pytest.raises(LocalProtocolError, match="no stream can be opened now"):
        caller.open(GET, True)


def test_long_messages_are_cut(caller: CallerConnection, plugin: PluginConnection) -> None:
    long = "\U0001f40d" * MAX_CONTROL
    stream, _ = caller.open(GET, False)
    for frame in (
        caller.reset(stream, "CANCELLED", long),
        plugin.finish(plugin.streams[1], "INTERNAL", long),
        plugin.go_away("INVALID_ARGUMENT", long),
    ):
        body = decode(frame[PREFIX_SIZE:])[0].body
        assert isinstance(body, Reset | GoAway)
        assert body.message == long[:MAX_MESSAGE]


def test_a_stream_is_finished_once(plugin: PluginConnection) -> None:
    stream = plugin.streams[1]
    plugin.respond(stream, Response(200), True)
    assert plugin.finish(stream) == b""
    assert plugin.finish(stream, "INTERNAL") == b""


def test_the_credit_announced_is_what_was_read(plugin: PluginConnection) -> None:
    plugin.receive(Frame(3, GET))
    plugin.receive_data(3, INITIAL_CREDIT, False)
    stream = plugin.streams[3]
    for _ in range(2):
        plugin.consume(stream, INITIAL_CREDIT // 2)
    (update,) = [decode(plugin.take_control()[PREFIX_SIZE:])[0]]
    assert update == Frame(3, WindowUpdate(INITIAL_CREDIT))
    assert plugin.take_control() == b""


def test_a_stream_is_given_up_once(caller: CallerConnection) -> None:
    stream, _ = caller.open(GET, False)
    assert caller.reset(stream, "CANCELLED")
    assert caller.reset(stream, "CANCELLED") == b""
