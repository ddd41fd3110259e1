"""The caller's own descriptors and threads run out: requests are sent without."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import COMMAND
from udist_plugin.client.plugin import Plugin
from udist_plugin.client.wake import WakePipe
from udist_plugin.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = bytes(range(256)) * (12 << 10)


@contextmanager
def no_threads() -> Iterator[None]:
    """There is no room for a thread's stack."""
    before = threading.stack_size(1 << 46)
    try:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            threading.Thread(target=print).start()
        yield
    finally:
        threading.stack_size(before)


@contextmanager
def no_descriptors() -> Iterator[None]:
    """All that a low limit allows are in use."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.dup(2))
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def count(plugin: Plugin, body: bytes | io.BytesIO | io.BufferedReader) -> bytes:
    headers = [("content-length", str(len(CONTENT)))]
    with plugin.request("POST", "/count", headers, body, timeout=60) as response:
        return response.read()


@pytest.mark.skipif(sys.platform != "linux", reason="what is too much for a stack differs elsewhere")
def test_content_is_sent_without_a_thread(plugin: Plugin) -> None:
    with no_threads():
        assert count(plugin, CONTENT) == str(len(CONTENT)).encode()
        assert count(plugin, io.BytesIO(CONTENT)) == str(len(CONTENT)).encode()
        with plugin.request("GET", f"/zeros/{len(CONTENT)}", timeout=60) as response:
            assert response.read() == bytes(len(CONTENT))
        plugin.request("GET", f"/zeros/{1 << 30}", timeout=60).close()
        with plugin.request("GET", "/environ", timeout=60) as response:
            assert response.status == 200


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_file_is_sent_without_another_descriptor(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    with (tmp_path / "file").open("rb") as file, no_descriptors():
        assert count(plugin, file) == str(len(CONTENT)).encode()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_pipe_that_cannot_be_had_has_nothing_to_close() -> None:
    with no_descriptors(), pytest.raises(OSError, match="Too many open files"):
        WakePipe()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_start_without_descriptors_or_threads_leaves_no_child() -> None:
    for without, reason in (no_descriptors, "Too many open files"), (no_threads, "can't start new thread"):
        with without(), pytest.raises(TransportError, match=reason) as caught:
            Plugin(command=COMMAND)
        assert (caught.value.code, caught.value.retryable) == ("RESOURCE_EXHAUSTED", True)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
