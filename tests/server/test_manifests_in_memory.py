"""However many large manifests are on their way, a plugin's memory has its bound."""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from udist_plugin.client.plugin import Plugin
from udist_plugin.oci.manifest import MANIFEST_MAX
from udist_plugin.oci.media_types import OCI_INDEX

MANY = 40
"""All of them at once are 160 MiB, and several times as much while they are read."""
MOST = 140.0
"""MiB that a plugin may take."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is Linux's to tell")


def large_index(number: int) -> bytes:
    """The largest manifest that is accepted."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [],
        "annotations": {"of": f"{number}"},
    }
    text = json.dumps(document)
    return text.replace(f'"{number}"', f'"{number:>{MANIFEST_MAX - len(text) + len(str(number))}}"').encode()


def peak(plugin: Plugin) -> float:
    """MiB that the plugin has taken at most."""
    status = Path(f"/proc/{plugin.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Slow:
    """A body whose last byte comes when ``go`` is set."""

    def __init__(self, content: bytes, go: threading.Event) -> None:
        self._left = memoryview(content)
        self._go = go

    def read(self, size: int = -1, /) -> bytes:
        if len(self._left) == 1:
            self._go.wait()
        size = max(1, min(size % MANIFEST_MAX, len(self._left) - 1))
        part, self._left = self._left[:size], self._left[size:]
        return bytes(part)


@pytest.fixture
def registry(tmp_path: Path) -> Plugin:
    return Plugin(None, {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(tmp_path)})


def test_pulls_that_nobody_reads(registry: Plugin) -> None:
    content, target = large_index(0), "/v2/a/b/manifests/v0"
    with registry, ExitStack() as open_ones:
        with registry.request("PUT", target, [("content-type", OCI_INDEX)], content) as response:
            assert response.status == 201
        get = [("accept", OCI_INDEX)]
        unread = [open_ones.enter_context(registry.request("GET", target, get)) for _ in range(MANY)]
        assert all(response.read() == content for response in reversed(unread))
        assert peak(registry) < MOST


def test_pushes_that_stand(registry: Plugin) -> None:
    go = threading.Event()

    def push(number: int) -> int:
        content = large_index(number)
        fields = [("content-type", OCI_INDEX), ("content-length", str(len(content)))]
        target = f"/v2/a/b/manifests/v{number}"
        with registry.request("PUT", target, fields, Slow(content, go), timeout=120) as response:
            return response.status

    with registry, ThreadPoolExecutor(MANY) as pool:
        pushed = [pool.submit(push, number) for number in range(MANY)]
        with registry.request("GET", "/v2/", timeout=120) as response:
            assert response.status == 200
        go.set()
        assert {each.result() for each in pushed} == {201}
        assert peak(registry) < MOST
