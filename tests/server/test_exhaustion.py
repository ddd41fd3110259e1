"""Descriptors and threads run out: the requests concerned are answered 503, and the plugin goes on."""

from __future__ import annotations

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import COMMAND
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import StreamReset
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AT_ONCE = 64
SIZE = 3 << 20
"""Bytes of a blob: more than one chunk, so that a second thread is asked for to hash it."""


def registry(root: Path, command: list[str]) -> Plugin:
    return Plugin(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}", command=command)


def push(plugin: Plugin, data: bytes | None = None) -> str:
    """Pushes ``data``, or a blob that nobody else has, and returns the status and what says when to try
    again."""
    data = data or os.urandom(SIZE)
    target = f"/v2/a/b/blobs/uploads/?digest={Digest.of(data)}"
    with plugin.request("POST", target, body=data, timeout=120) as response:
        response.read()
        return f"{response.status} {response.header('retry-after')}"


def pull(plugin: Plugin, target: str) -> str:
    with plugin.request("GET", target, timeout=120) as response:
        content = response.read()
        assert response.status != 200 or len(content) == SIZE
        return f"{response.status} {response.header('retry-after')}"


def many(act: Callable[[int], str]) -> Counter[str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(act, range(AT_ONCE)))


@pytest.mark.skipif(sys.platform == "win32", reason="the limit is set by a shell")
@pytest.mark.parametrize("limit", [30, 64])
def test_requests_that_find_no_descriptor_are_told_to_come_again(tmp_path: Path, limit: int) -> None:
    command = f"ulimit -n {limit}; exec '{sys.executable}' -m udist_plugin"
    with registry(tmp_path, ["sh", "-c", command]) as plugin:
        pushed = many(lambda _: push(plugin))
        assert set(pushed) <= {"201 None", "503 5"}
        assert limit > 30 or pushed["503 5"]
        assert push(plugin) == "201 None"
        data = bytes(SIZE)
        assert push(plugin, data) == "201 None"
        blob = f"/v2/a/b/blobs/{Digest.of(data)}"
        pulled = many(lambda _: pull(plugin, blob))
        assert set(pulled) <= {"200 None", "503 5"}
        assert pull(plugin, blob) == "200 None"
    assert plugin.status == 0


def test_an_application_that_finds_no_descriptor_is_answered_for() -> None:
    with Plugin(command=COMMAND) as plugin:
        with plugin.request("GET", "/without_descriptors/early", timeout=30) as response:
            assert (response.status, response.header("retry-after")) == (503, "5")
        with plugin.request("GET", "/without_descriptors/late", timeout=30) as response:
            with pytest.raises(StreamReset, match="no more descriptors") as caught:
                response.read()
            assert caught.value.code == "UNAVAILABLE"
    assert plugin.status == 0


FEW_THREADS = """
import resource, sys, threading

STACK = 1 << 30
threading.stack_size(STACK)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = used + int(sys.argv[1]) * STACK + STACK // 2
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
"""
"""Gives a process as many threads as there is room for stacks."""


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is Linux's to tell")
@pytest.mark.parametrize("threads", [1, 2, 3, 5, 9])
def test_requests_are_served_by_the_threads_that_there_are(tmp_path: Path, threads: int) -> None:
    code = FEW_THREADS + "from udist_plugin.cli.plugin import main; main([])"
    with registry(tmp_path, [sys.executable, "-c", code, str(threads)]) as plugin:
        assert many(lambda _: push(plugin)) == {"201 None": AT_ONCE}
    assert plugin.status == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is Linux's to tell")
def test_as_many_requests_are_served_at_once_as_there_are_threads() -> None:
    """Of six, one heeds signals and one guards the reader's role. ``/stall`` is served until somebody asks
    for ``/resume``."""
    code = FEW_THREADS + "import runpy; runpy.run_module('tests.server.apps', run_name='__main__')"
    with Plugin(command=[sys.executable, "-c", code, "6"]) as plugin, ThreadPoolExecutor(3) as pool:
        stalled = [pool.submit(lambda: plugin.request("GET", "/stall", timeout=120).read()) for _ in range(3)]
        with plugin.request("GET", "/resume", timeout=60) as response:
            assert response.status == 204
        for each in stalled:
            assert each.result(60) == b"late"
