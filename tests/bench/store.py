"""A store on a memory file system, blobs to move, and a plugin over it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY_FILE_SYSTEM = "/dev/shm"


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A folder on a memory file system where there is one, gone afterwards."""
    parent = MEMORY_FILE_SYSTEM if os.path.isdir(MEMORY_FILE_SYSTEM) else None
    folder = Path(tempfile.mkdtemp(prefix="udist-bench-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def make_blob(path: Path, size: int) -> str:
    """A file of ``size`` bytes that do not compress, and its digest."""
    running = hashlib.sha256()
    piece = os.urandom(1 << 20)
    with path.open("wb") as file:
        for number in range(size >> 20):
            piece = number.to_bytes(8, "big") + piece[8:]
            running.update(piece)
            file.write(piece)
    return f"sha256:{running.hexdigest()}"


def make_tags(root: Path, count: int) -> None:
    """The repository ``listed`` with so many tags, as a stock registry stores them."""
    digest = hashlib.sha256(b"{}").hexdigest()
    tags = root / "docker/registry/v2/repositories/listed/_manifests/tags"
    for number in range(count):
        for link in ("current/link", f"index/sha256/{digest}/link"):
            path = tags / f"v1.{number}" / link
            path.parent.mkdir(parents=True)
            path.write_text(f"sha256:{digest}")


def spawn(root: Path, *, files: bool = False) -> Plugin:
    """A plugin that stores below ``root``; content goes over the pipes, unless ``files`` are shared."""
    return Plugin(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\n", {}, files=files)


def push(plugin: Plugin, file: BinaryIO, digest: str, name: str = "bench/blob") -> None:
    """Pushes the whole of a real file under a digest known beforehand."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    with plugin.request("POST", f"/v2/{name}/blobs/uploads/", body=b"") as response:
        location = response.header("location") or ""
    mark = "&" if "?" in location else "?"
    length = [("content-length", str(size))]
    with plugin.request("PUT", f"{location}{mark}digest={digest}", length, file) as response:
        assert response.status == 201, (response.status, response.read())


def pull(plugin: Plugin, digest: str, buffer: bytearray, name: str = "bench/blob") -> int:
    """Reads a blob to its end into ``buffer``, over and over, and returns its size."""
    total = 0
    with plugin.request("GET", f"/v2/{name}/blobs/{digest}") as response:
        assert response.status == 200, response.status
        while count := response.readinto(buffer):
            total += count
    return total


def peak_memory(pid: int) -> int:
    """The most memory a process had resident so far, in bytes (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise RuntimeError("no VmHWM in /proc: run this on Linux")
