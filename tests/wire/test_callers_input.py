"""What a caller sends is looked at before it is taken up, or repeated."""

from __future__ import annotations

import pytest

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.wire.connection import ConnectionReceived, ResetReceived
from udist_plugin.wire.constants import MAX_DATA, MAX_MESSAGE, PREFIX_SIZE
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.frames import Frame, GoAway, Request, Reset, Settings
from udist_plugin.wire.plugin import PluginConnection

GET = Request("GET", "http", "localhost", "/")


@pytest.fixture
def plugin() -> PluginConnection:
    connection = PluginConnection(memory=0)
    connection.receive(Frame(0, Settings([1])))
    return connection


@pytest.mark.parametrize("scheme", ["ftp", "HTTP", ""])
def test_a_scheme_other_than_http_and_https_is_refused(plugin: PluginConnection, scheme: str) -> None:
    plugin.receive(Frame(1, GET._replace(scheme=scheme), True))
    body = decode(plugin.take_control()[PREFIX_SIZE:])[0].body
    assert isinstance(body, Reset)
    assert (body.code, body.unprocessed) == ("INVALID_ARGUMENT", True)


def test_a_message_that_is_too_long_is_not_repeated_as_it_is(plugin: PluginConnection) -> None:
    plugin.receive(Frame(1, GET, False))
    stream = plugin.streams[1]
    event = plugin.receive(Frame(1, Reset("CANCELLED", "x" * 60_000)))
    assert isinstance(event, ResetReceived)
    assert event.reset.message == "x" * MAX_MESSAGE
    assert decode(plugin.finish(stream)[PREFIX_SIZE:])[0].body == event.reset
    away = plugin.receive(Frame(0, GoAway(0, "OK", "x" * 60_000)))
    assert isinstance(away, ConnectionReceived)
    assert away.body == GoAway(0, "OK", "x" * MAX_MESSAGE)


def test_a_payload_has_its_limit_whatever_the_credit(plugin: PluginConnection) -> None:
    plugin.receive(Frame(1, GET, False))
    with pytest.raises(RemoteProtocolError, match="a payload of 1048577 bytes exceeds the limit of 1048576"):
        plugin.receive_data(1, MAX_DATA + 1, False)
