"""Applications that break WSGI's rules, or use its older ones, and a system that gives no threads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import StreamReset


@pytest.mark.parametrize("handler", ["string", "leave"])
def test_a_broken_application_costs_its_own_stream_alone(plugin: Plugin, handler: str) -> None:
    for _ in range(70):  # more than there are workers: each is still there
        with pytest.raises(StreamReset, match="the application failed") as caught:
            plugin.request("GET", f"/{handler}", timeout=30)
        assert caught.value.code == "INTERNAL"
    with plugin.request("GET", "/environ", timeout=30) as response:
        assert response.status == 200


def test_what_is_written_travels_but_not_to_head(plugin: Plugin) -> None:
    for method, content in (("GET", b"abcd"), ("HEAD", b"")):
        with plugin.request(method, "/written") as response:
            assert (response.header("content-length"), response.read()) == ("4", content)


FEW_THREADS = """
import threading
from tests.server.apps import Service
from udist_plugin.server.stdio import serve
from udist_plugin.server.streams import take_standard_streams

start = threading.Thread.start

def start_some(thread):
    if threading.active_count() > 6:
        raise RuntimeError("can't start new thread")
    start(thread)

threading.Thread.start = start_some
serve(*take_standard_streams(), lambda *_: Service())
"""


def test_every_request_is_served_by_what_threads_there_are() -> None:
    def echo(plugin: Plugin) -> bytes:
        with plugin.request("POST", "/echo", body=bytes(10_000), timeout=60) as response:
            return response.read()

    with Plugin(command=[sys.executable, "-c", FEW_THREADS]) as plugin, ThreadPoolExecutor(20) as pool:
        assert list(pool.map(echo, [plugin] * 100)) == [bytes(10_000)] * 100
