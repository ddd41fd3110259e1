"""A network file system on which any one call fails once.

What was acknowledged is there, nothing is half visible, every error is one of ours, and the same request
succeeds when the client repeats it.
"""

from __future__ import annotations

import errno
import io
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.storage.network import FAULTS, Planted, faults
from tests.storage.samples import image, push, push_image
from tests.storage.test_crashes import CHUNKED, OLD, STEPS, State, Step, blob, manifest, seen
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.drivers.filesystem.steps import StagedFiles
from udist_plugin.drivers.filesystem.tree import REPEATS
from udist_plugin.errors import (
    BlobUnknown,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestUnknown,
    StorageError,
    UdistError,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.upkeep.purge import purge_uploads

if TYPE_CHECKING:
    from pathlib import Path

GONE = (BlobUnknown, ManifestUnknown)
CHUNKS = b"more chunks" * 300


def upload_in_requests(registry: StorageRegistry) -> None:
    """As a client does that asks for the upload's status whenever it is refused."""
    upload_id = registry.start_upload("a").id
    failures = 0
    while True:
        try:
            upload = registry.resume_upload("a", upload_id)
            try:
                if upload.offset < len(CHUNKS):
                    upload.write(io.BytesIO(CHUNKS[upload.offset : upload.offset + 1500]))
                else:
                    upload.commit(Digest.of(CHUNKS))
                    return
            finally:
                upload.close()
        except (BlobUploadUnknown, DigestInvalid):
            raise
        except UdistError:
            if failures := failures + 1 > 3:
                raise


ALL = [
    *STEPS,
    Step(upload_in_requests, blob("a", CHUNKS)),
    Step(lambda r: r.delete_blob("a", Digest.of(CHUNKED)), blob("a", CHUNKED, present=False)),
    Step(lambda r: r.delete_manifest("a", OLD.digest), manifest("a", OLD, "v1", present=False)),
    Step(lambda r: push(r, "a", OLD, "v1"), manifest("a", OLD, "v1")),
]
"""Every verb that changes the store."""


class Sweep:
    """Runs the steps with a fault, and repeats the one that is refused."""

    def __init__(self, root: Path) -> None:
        self.log: list[str] = []
        self.refused: list[Exception] = []
        self._root = str(root)
        driver = FilesystemDriver(self._root, paths.SCRATCH)
        driver.start(lambda level, message: self.log.append(message))
        self._registry = StorageRegistry(driver)

    def run(self) -> None:
        known: State = {fact: None for step in ALL for fact in step.effect}
        for step in ALL:
            try:
                step.run(self._registry)
            except UdistError as error:
                self.refused.append(error)
                self._check(known, known | step.effect)
                with suppress(*GONE):  # a deletion that was done, though it was refused
                    step.run(self._registry)
            known |= step.effect
            self._check(known)
        assert purge_uploads(self._fresh().driver, -60).errors == []
        assert self._fresh().driver.list(paths.SCRATCH) == []

    def _check(self, *states: State) -> None:
        """Another process sees each fact as it is in one of the states."""
        registry = self._fresh()
        for fact in states[0]:
            assert seen(registry, fact) in [state[fact] for state in states], (fact, self.refused)

    def _fresh(self) -> StorageRegistry:
        return StorageRegistry(FilesystemDriver(self._root, paths.SCRATCH))


def sweep(root: Path, *, most: int, beside_others: bool) -> None:
    """Plants each kind of fault, at ``most`` calls of a verb at most."""
    with pytest.MonkeyPatch.context() as patched:
        arrange(patched, beside_others)
        planted = Planted(patched)
        Sweep(root / "whole").run()
    assert set(planted.made) == FAULTS.keys()
    for number, (at, fault) in enumerate(faults(planted.made, most)):
        run = Sweep(root / str(number))
        with pytest.MonkeyPatch.context() as patched:
            arrange(patched, beside_others)
            Planted(patched, at, fault)
            try:
                run.run()
                assert run.refused == [] or not fault.hidden, run.refused
            except Exception as error:
                raise AssertionError(f"{planted.made[at]}, call {at}, {fault!r}: {error!r}") from error


def arrange(patched: pytest.MonkeyPatch, beside_others: bool) -> None:
    tree = "udist_plugin.drivers.filesystem.tree"
    patched.setattr(f"{tree}.PAUSE", 0)
    for tick in ("FINE_TICK", "COARSE_TICK"):  # so that the same folders are synced each time
        patched.setattr(f"{tree}.{tick}", float("inf"))
    if beside_others:
        patched.setattr(StagedFiles, "commit", lambda self: False)


@pytest.mark.parametrize("beside_others", [False, True])
def test_any_call_fails_once(tmp_path: Path, beside_others: bool) -> None:
    sweep(tmp_path, most=1, beside_others=beside_others)


def test_bytes_that_were_lost_never_become_a_blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel tells of them once; the next sync succeeds."""
    registry = StorageRegistry(FilesystemDriver(str(tmp_path), paths.SCRATCH))
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(CHUNKS))
    upload.close()
    with monkeypatch.context() as patched:
        patched.setattr(calls, "sync", lose)
        upload = registry.resume_upload("a", upload.id)
        with pytest.raises(StorageError, match="what was uploaded is lost, upload it again"):
            upload.commit(Digest.of(CHUNKS))
        upload.close()
    assert registry.resume_upload("a", upload.id).offset == 0
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", Digest.of(CHUNKS))


def lose(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.ftruncate(descriptor, len(CHUNKS))
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_rename_that_fails_once_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.drivers.filesystem.tree.PAUSE", 0)
    log: list[str] = []
    driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    driver.start(lambda level, message: log.append(f"{level}: {message}"))
    rename, tried = calls.rename, 0

    def failing(source: str, destination: str) -> None:
        nonlocal tried
        tried += 1
        if tried % REPEATS:
            raise OSError(errno.EIO, os.strerror(errno.EIO), source, None, destination)
        rename(source, destination)

    monkeypatch.setattr(calls, "rename", failing)
    for number in range(2):
        with driver.writer(f"/file{number}") as writer:
            writer.write(b"x")
            writer.commit()
    assert sorted(driver.list("/"))[:2] == ["docker", "file0"]
    (message,) = log
    assert message.startswith(f"warn: {tmp_path}/docker")
    assert message.endswith(f"{tmp_path}/file0: Input/output error; renames are tried 3 times here")
    monkeypatch.setattr(calls, "rename", lambda source, destination: failing_always())
    with pytest.raises(StorageError, match="/file0: Input/output error"):
        driver.move("/file0", "/file")


def failing_always() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_files_that_their_readers_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS renames a file that is deleted while it is open; its folder stays until it is closed."""
    log: list[str] = []
    driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    driver.start(lambda level, message: log.append(message))
    registry = StorageRegistry(driver)
    push_image(registry, "a", b"layer", tags=["v1", "v2"])
    document = image(b"layer")
    with monkeypatch.context() as patched:
        patched.setattr(calls, "unlink", keep)
        registry.delete_tag("a", "v1")
        registry.delete_blob("a", Digest.of(b"layer"))
        registry.delete_manifest("a", document.digest)
        assert registry.list_tags("a").items == []
        with pytest.raises(ManifestUnknown):
            registry.get_manifest("a", document.digest)
    assert len(log) <= 2
    assert all("purging of uploads deletes it later" in line or "without effect" in line for line in log)
    assert purge_uploads(driver, -60).errors == []
    assert [name for name in driver.list(paths.SCRATCH) if not name.startswith(".nfs")] == []


def keep(path: str) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    folder, name = os.path.split(path)
    if name.startswith(".nfs"):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path)
    os.rename(path, f"{folder}/.nfs{os.urandom(12).hex()}")
