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


LAYOUT = "docker/registry/v2"
EMPTY = hashlib.sha256(b"{}").hexdigest()


def make_tags(root: Path, count: int) -> None:
    """The repository ``listed`` with so many tags, as a stock registry stores them."""
    for number in range(count):
        make_tag(root, "listed", f"v1.{number}")


def make_repositories(root: Path, count: int) -> None:
    """Repositories with a tag each."""
    for number in range(count):
        make_tag(root, f"team{number % 100}/application{number}", "latest")


def make_tag(root: Path, repository: str, tag: str) -> None:
    for link in ("current/link", f"index/sha256/{EMPTY}/link"):
        write(root / LAYOUT / "repositories" / repository / "_manifests/tags" / tag / link, f"sha256:{EMPTY}")


def make_layers(root: Path, repository: str, count: int) -> list[dict[str, object]]:
    """Small blobs of a repository, and their descriptors."""
    descriptors: list[dict[str, object]] = []
    for number in range(count):
        content = f"layer {number}"
        name = hashlib.sha256(content.encode()).hexdigest()
        write(root / LAYOUT / f"blobs/sha256/{name[:2]}/{name}/data", content)
        write(root / LAYOUT / f"repositories/{repository}/_layers/sha256/{name}/link", f"sha256:{name}")
        media_type = "application/vnd.oci.image.layer.v1.tar"
        descriptors.append({"mediaType": media_type, "digest": f"sha256:{name}", "size": len(content)})
    return descriptors


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


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
