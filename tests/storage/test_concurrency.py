"""Threads and processes on one folder: what each was told holds, whatever the others do."""

from __future__ import annotations

import io
import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import image, push, read_blob
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import BlobUnknown, ManifestUnknown, NameUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from pathlib import Path

    from tests.drivers.conftest import Before

SHARED = b"a layer of all" * 1000
COMMON = image(SHARED)
WORKERS = 4
ROUNDS = 12


def work(root: str, worker: int) -> None:
    """Pushes and deletes what is its own, and what all push and delete."""
    registry = StorageRegistry(FilesystemDriver(root, paths.SCRATCH))
    digest = Digest.of(SHARED)
    for turn in range(ROUNDS):
        own = image(b"%d %d" % (worker, turn))
        registry.push_blob("shared", digest, io.BytesIO(SHARED))
        push(registry, "shared", own, f"own-{worker}", "contended")
        push(registry, "shared", COMMON, "common", "contended")
        assert registry.get_manifest("shared", f"own-{worker}").content == own.content
        assert read_blob(registry, "shared", digest) == SHARED
        with suppress(ManifestUnknown):
            assert registry.get_manifest("shared", "contended").content
        with suppress(ManifestUnknown):
            assert registry.get_manifest("shared", "common").content == COMMON.content
        with suppress(ManifestUnknown):
            registry.delete_manifest("shared", COMMON.digest)
        if turn % 2:
            registry.delete_tag("shared", f"own-{worker}")
            with pytest.raises(ManifestUnknown):
                registry.get_manifest("shared", f"own-{worker}")
        registry.push_blob("fought/over", digest, io.BytesIO(SHARED))
        with suppress(BlobUnknown):
            assert read_blob(registry, "fought/over", digest) == SHARED
        with suppress(BlobUnknown):
            registry.delete_blob("fought/over", digest)
        assert "shared" in registry.list_repositories().items
        assert set(registry.list_tags("shared").items) <= {
            "common",
            "contended",
            *(f"own-{number}" for number in range(WORKERS)),
        }


def executor(kind: str) -> Executor:
    if kind == "threads":
        return ThreadPoolExecutor(WORKERS)
    return ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_all_that_was_acknowledged_holds(tmp_path: Path, kind: str) -> None:
    with executor(kind) as pool:
        for future in [pool.submit(work, str(tmp_path), worker) for worker in range(WORKERS)]:
            future.result(timeout=120)
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    for tag in registry.list_tags("shared").items:
        assert registry.get_manifest("shared", tag).content
    push(registry, "shared", COMMON, "common", "contended")
    assert registry.get_manifest("shared", "common").content == COMMON.content
    assert registry.list_tags("shared").items == ["common", "contended"]
    assert read_blob(registry, "shared", Digest.of(SHARED)) == SHARED


def test_one_blob_pushed_by_many_at_once(tmp_path: Path) -> None:
    """By push and by upload: the data that all of them rename into place is always whole."""
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    blob = bytes(range(256)) * 20000
    digest = Digest.of(blob)
    done = threading.Event()
    failures: list[object] = []

    def read() -> None:
        while not done.is_set():
            with suppress(BlobUnknown):
                if read_blob(registry, "a", digest) != blob:
                    failures.append("torn")

    def push_blob() -> None:
        for _ in range(5):
            registry.push_blob("a", digest, io.BytesIO(blob))

    def upload() -> None:
        for _ in range(5):
            session = registry.start_upload("a")
            session.write(io.BytesIO(blob[:100_000]))
            session.write(io.BytesIO(blob[100_000:]))
            session.commit(digest)

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(verb) for verb in (push_blob, upload) * 2]:
            future.result(timeout=60)
    done.set()
    reader.join()
    assert failures == []


def test_pushing_beside_deleting_leaves_no_tag_without_manifest(tmp_path: Path) -> None:
    """Whoever comes last, a tag that is listed can be pulled."""
    registries = [StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH)) for _ in range(2)]
    for _ in range(40):
        start = threading.Barrier(2)

        def pushing(start: threading.Barrier = start) -> None:
            start.wait(10)
            push(registries[0], "a", COMMON, "common")

        def deleting(start: threading.Barrier = start) -> None:
            start.wait(10)
            with suppress(ManifestUnknown):
                registries[1].delete_manifest("a", COMMON.digest)

        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(pushing), pool.submit(deleting)]:
                future.result(timeout=30)
        with suppress(NameUnknown):
            for tag in registries[0].list_tags("a").items:
                assert registries[0].get_manifest("a", tag).content == COMMON.content


def test_a_tag_pushed_when_its_old_link_is_deleted_stays(tmp_path: Path, before: Before) -> None:
    """Its link is gone, its folder not yet."""
    old, new = image(b"old"), image(b"new")
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    push(registry, "a", old, "v1")

    def overtake() -> None:
        with pytest.raises(ManifestUnknown):
            registry.get_manifest("a", "v1")
        push(registry, "a", new, "v1")

    before("remove_folder", overtake)
    StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH)).delete_manifest("a", old.digest)
    assert registry.get_manifest("a", "v1").content == new.content
    assert registry.list_tags("a").items == ["v1"]
