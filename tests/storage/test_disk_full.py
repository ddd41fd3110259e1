"""A disk without room: a clear error, and a store that is as it was."""

from __future__ import annotations

import io
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import image, push, push_image, read_blob
from tests.tools import require_tool
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import BlobUnknown, ManifestUnknown, StorageFull
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 4 << 20
BIG = bytes(SIZE + 1)
LAYER = b"a layer"


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own, mounted on ``folder``."""
    folder.mkdir()
    become_root = [] if os.geteuid() == 0 else [require_tool("sudo"), "-n"]
    mount = [require_tool("mount"), "-t", "tmpfs", "-o", f"{options},uid={os.getuid()}", "tmpfs", str(folder)]
    done = subprocess.run([*become_root, *mount], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        reason = f"no file system can be mounted here: {done.stderr.strip()}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield folder
    finally:
        subprocess.run([*become_root, require_tool("umount"), str(folder)], timeout=30, check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", f"size={SIZE}") as folder:
        yield folder


@pytest.fixture
def registry(disk: Path) -> StorageRegistry:
    return StorageRegistry(FilesystemDriver(str(disk), paths.SCRATCH))


def fill(disk: Path) -> Path:
    """Takes all the room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def test_a_push_without_room_leaves_the_store_as_it_was(registry: StorageRegistry) -> None:
    document = push_image(registry, "a", LAYER, tags=["v1"])
    with pytest.raises(StorageFull, match="No space left on device"):
        registry.push_blob("a", Digest.of(BIG), io.BytesIO(BIG))
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", Digest.of(BIG))
    assert registry.driver.list(paths.SCRATCH) == []
    assert registry.get_manifest("a", "v1").content == document.content
    half = bytes(SIZE // 2)
    registry.push_blob("a", Digest.of(half), io.BytesIO(half))
    assert read_blob(registry, "a", Digest.of(half)) == half


def test_an_upload_without_room_keeps_what_it_has(registry: StorageRegistry) -> None:
    upload = registry.start_upload("a")
    with pytest.raises(StorageFull):
        upload.write(io.BytesIO(BIG))
    assert 0 < upload.offset < len(BIG)
    resumed = registry.resume_upload("a", upload.id)
    assert resumed.offset == upload.offset
    resumed.cancel()
    push_image(registry, "a", bytes(SIZE // 2), tags=["v1"])


def test_a_full_disk_is_read_and_made_room_on(registry: StorageRegistry, disk: Path) -> None:
    old = push_image(registry, "a", LAYER, tags=["v1"])
    filler = fill(disk)
    new = image(b"new")
    with pytest.raises(StorageFull):
        push(registry, "a", new, "v1")
    with pytest.raises(StorageFull):
        registry.start_upload("a")
    with pytest.raises(ManifestUnknown):
        registry.get_manifest("a", new.digest)
    assert registry.get_manifest("a", "v1").content == old.content
    assert read_blob(registry, "a", Digest.of(LAYER)) == LAYER
    registry.delete_tag("a", "v1")
    registry.delete_manifest("a", old.digest)
    registry.delete_blob("a", Digest.of(LAYER))
    filler.unlink()
    push(registry, "a", new, "v1")
    assert registry.get_manifest("a", "v1").content == new.content


def test_deleting_needs_no_room(tmp_path: Path) -> None:
    """Not even for a scratch folder, which a store that only stock servers wrote to does not have."""
    with small_disk(tmp_path / "disk", "size=4m,nr_inodes=40") as disk:
        (disk / "folder" / "below").mkdir(parents=True)
        (disk / "folder" / "below" / "file").write_bytes(b"x")
        with pytest.raises(OSError, match="No space left"):
            for number in range(100):
                (disk / str(number)).write_bytes(b"")
        driver = FilesystemDriver(str(disk), paths.SCRATCH)
        with pytest.raises(StorageFull):
            driver.put_content("/new", b"x")
        driver.delete("/folder")
        assert not driver.exists("/folder")
