"""What its user has dropped without closing it is closed, with a warning."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests

from tests.server.conftest import COMMAND
from udist_plugin.client.httpx_transport import UdistTransport
from udist_plugin.client.plugin import Plugin
from udist_plugin.client.requests_adapter import UdistAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE = f"/zeros/{1 << 30}"


def by_itself(plugin: Plugin) -> Any:
    return plugin.request("GET", LARGE, timeout=60)


def with_httpx(plugin: Plugin) -> Any:
    client = httpx.Client(transport=UdistTransport(plugin), base_url="http://udist", timeout=60)
    return client.send(client.build_request("GET", LARGE), stream=True)


def with_requests(plugin: Plugin) -> Any:
    with requests.Session() as session:
        session.mount("http://udist", UdistAdapter(plugin))
        return session.get(f"http://udist{LARGE}", stream=True, timeout=60)


@pytest.mark.parametrize("ask", [by_itself, with_httpx])
def test_a_dropped_response_gives_its_slot_back(plugin: Plugin, ask: Callable[[Plugin], Any]) -> None:
    for _ in range(3 * 64):
        with pytest.warns(ResourceWarning, match="unclosed <Response 200>"):
            ask(plugin)
            gc.collect(0)


def test_a_dropped_response_of_requests_gives_its_slot_back(plugin: Plugin) -> None:
    """urllib3's responses close themselves, and say nothing."""
    for _ in range(3 * 64):
        assert with_requests(plugin).status_code == 200
        gc.collect(0)


@pytest.mark.parametrize(
    ("method", "target", "read", "size"),
    [
        ("GET", "/zeros/1000000", -1, 1_000_000),
        ("GET", "/zeros/1000000", 1_000_000, 1_000_000),
        ("HEAD", "/zeros/1000000", 0, 0),
        ("GET", "/zeros/0", 0, 0),
        ("GET", "/resume", 0, 0),
    ],
)
def test_a_response_that_is_complete_need_not_be_closed(
    plugin: Plugin, method: str, target: str, read: int, size: int
) -> None:
    """Warnings are errors here."""
    for _ in range(3):
        assert len(plugin.request(method, target, timeout=60).read(read)) == size


def test_a_response_may_be_dropped_in_a_thread_that_holds_the_lock(plugin: Plugin) -> None:
    """The garbage collector runs where it likes."""
    responses = [by_itself(plugin)]
    with plugin._link.lock, pytest.warns(ResourceWarning):
        responses.clear()
    responses.extend(by_itself(plugin) for _ in range(64))  # every slot is there
    for response in responses:
        response.close()


def test_a_response_keeps_its_plugin() -> None:
    plugin = Plugin(command=COMMAND)
    pid, response = plugin.pid, plugin.request("GET", LARGE)
    del plugin
    gc.collect()
    assert len(response.read(20 << 20)) == 20 << 20
    with pytest.warns(ResourceWarning, match=f"unclosed <Plugin of process {pid}>"):
        response.close()
        del response
        gc.collect()
    wait_until_reaped(pid)


def test_a_dropped_plugin_ends() -> None:
    plugin = Plugin(command=COMMAND)
    pid = plugin.pid
    with pytest.warns(ResourceWarning, match=f"unclosed <Plugin of process {pid}>"):
        del plugin
        gc.collect()
    wait_until_reaped(pid)


def wait_until_reaped(pid: int) -> None:
    """Returns once this process has no such child any more."""
    deadline = time.monotonic() + 8  # sooner than it would be terminated
    with suppress(ChildProcessError):
        while True:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            assert time.monotonic() < deadline


def test_a_plugin_that_is_never_closed_holds_up_no_exit() -> None:
    program = f"from udist_plugin import Plugin; plugin = Plugin(command={COMMAND!r})"
    ran = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], stderr=subprocess.PIPE, text=True, timeout=60
    )
    assert ran.returncode == 0
    assert "ResourceWarning: unclosed <Plugin" in ran.stderr
    assert "Traceback" not in ran.stderr
