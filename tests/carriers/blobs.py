"""Blobs through a plugin that is reached over something, and its process at the far end."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.client.plugin import Plugin

INMEMORY = "version: 0.1\nstorage: {inmemory: {}}\n"


def push(plugin: Plugin, content: bytes) -> str:
    """Pushes a blob and returns its target."""
    with plugin.request("POST", "/v2/demo/blobs/uploads/") as response:
        location = response.header("location") or ""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    mark = "&" if "?" in location else "?"
    with plugin.request("PUT", f"{location}{mark}digest={digest}", body=content) as response:
        assert response.status == 201
    return f"/v2/demo/blobs/{digest}"


def pull(plugin: Plugin, target: str) -> bytes:
    with plugin.request("GET", target) as response:
        assert response.status == 200
        return response.read()


def pid_of(plugin: Plugin) -> int:
    """The plugin's process, by what it says itself: the child may be another program."""
    assert plugin.link.connection.peer
    return plugin.link.connection.peer.process_id


def is_alive(pid: int) -> bool:
    return bool(fields := _stat(pid)) and fields[0] != "Z"


def processes() -> list[int]:
    """All that this process can see (Linux)."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def parents(pid: int) -> Iterator[int]:
    """The processes that a process descends from, its parent first (Linux)."""
    while fields := _stat(pid):
        pid = int(fields[1])
        yield pid


def _stat(pid: int) -> list[str]:
    """State, parent and so on; nothing of a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return []
