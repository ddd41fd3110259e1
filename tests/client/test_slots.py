"""What a request waits for before it is sent, a slot and room in the pipe, takes no longer than was said."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests

from tests.client.test_misbehaving import command
from udist_plugin.client import slots
from udist_plugin.client.httpx_transport import UdistTransport
from udist_plugin.client.plugin import Plugin
from udist_plugin.client.requests_adapter import UdistAdapter
from udist_plugin.errors import DeadlineExceeded, NoFreeSlot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.client.response import Response

SLOTS = 64
LARGE = f"/zeros/{1 << 30}"
"""More than the credit of a response that nobody reads: it keeps its slot."""


def with_requests(plugin: Plugin, timeouts: Any) -> object:
    with requests.Session() as session:
        session.mount("http://udist", UdistAdapter(plugin))
        return session.get("http://udist/environ", timeout=timeouts)


def with_httpx(plugin: Plugin, timeouts: Any) -> object:
    with httpx.Client(transport=UdistTransport(plugin), base_url="http://udist", timeout=timeouts) as client:
        return client.get("/environ")


def by_itself(plugin: Plugin, timeouts: Any) -> object:
    with plugin.request("GET", "/environ", **timeouts) as response:
        return response.read()


@pytest.fixture
def unread(plugin: Plugin) -> Iterator[list[Response]]:
    """As many responses as there are slots, of which nobody reads any."""
    responses = [plugin.request("GET", LARGE) for _ in range(SLOTS)]
    yield responses
    for response in responses:
        response.close()


@pytest.mark.parametrize(
    ("ask", "timeouts", "error"),
    [
        (with_requests, 0.3, requests.ConnectTimeout),
        (with_requests, (0.3, None), requests.ConnectTimeout),
        (with_httpx, 0.3, httpx.PoolTimeout),
        (with_httpx, httpx.Timeout(None, pool=0.3), httpx.PoolTimeout),
        (by_itself, {"timeout": 0.3}, NoFreeSlot),
        (by_itself, {"patience": 0.3}, NoFreeSlot),
        (by_itself, {"slot_timeout": 0.3, "patience": 60}, NoFreeSlot),
    ],
)
def test_a_slot_is_waited_for_no_longer_than_was_said(
    plugin: Plugin,
    unread: list[Response],
    ask: Callable[[Plugin, Any], object],
    timeouts: Any,
    error: type[Exception],
) -> None:
    with pytest.raises(error, match="slots stayed in use"):
        ask(plugin, timeouts)
    unread.pop().close()
    with plugin.request("GET", "/environ", timeout=60) as response:  # the slot is there again
        assert response.status == 200


def test_nothing_was_sent_by_a_request_without_a_slot(plugin: Plugin, unread: list[Response]) -> None:
    with pytest.raises(NoFreeSlot) as caught:
        plugin.request("POST", "/echo", body=b"x", timeout=0.1)
    assert (caught.value.retryable, caught.value.code) == (True, "RESOURCE_EXHAUSTED")


def test_slots_that_unread_responses_hold_are_not_waited_for_without_end(
    plugin: Plugin, unread: list[Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "HELD", 0.3)
    with pytest.raises(NoFreeSlot, match="read or close the responses that are open"):
        plugin.request("GET", "/environ")


def test_a_slot_is_waited_for_while_responses_are_read(
    plugin: Plugin, unread: list[Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "HELD", 1.0)
    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(by_itself, plugin, {})
        begun = time.monotonic()
        while time.monotonic() < begun + 2.5:  # longer than nothing may happen
            assert unread[0].read(256)
            assert not answered.done()
        unread[0].close()
        assert answered.result(60)


@pytest.mark.parametrize("size", [0, 200_000])
def test_a_pipe_that_is_full_is_waited_for_no_longer_than_was_said(size: int) -> None:
    """Heads and small bodies are written by the thread that asks."""
    plugin = Plugin(command=command("deaf"))
    headers = [("x-filler", "x" * 40_000)]
    for _ in range(40):
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            plugin.request("PUT", "/v2/", headers, bytes(size), patience=0.1)
        assert time.monotonic() - begun < 20
    plugin.close(0.2)
