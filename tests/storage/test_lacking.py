"""File systems that lack something: udist goes on where that is safe, and says so once."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import image, push, push_image, read_blob
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import (
    BlobUnknown,
    BlobUploadUnknown,
    DigestInvalid,
    StorageError,
    StorageUnavailable,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import Page
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOB = b"some content"
DIGEST = Digest.of(BLOB)


@pytest.fixture
def log() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def driver(tmp_path: Path, log: list[tuple[str, str]]) -> FilesystemDriver:
    driver = FilesystemDriver(str(tmp_path / "store"), paths.SCRATCH)
    driver.start(lambda level, message: log.append((level, message)))
    return driver


@pytest.fixture
def registry(driver: FilesystemDriver) -> StorageRegistry:
    return StorageRegistry(driver)


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def upload(registry: StorageRegistry, *chunks: bytes, digest: Digest = DIGEST) -> None:
    started = registry.start_upload("a").id
    for chunk in chunks:
        resumed = registry.resume_upload("a", started)
        resumed.write(io.BytesIO(chunk))
        resumed.close()
    registry.resume_upload("a", started).commit(digest)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
class TestNoLocks:
    def test_uploads_go_on_with_one_warning(
        self,
        registry: StorageRegistry,
        log: list[tuple[str, str]],
        monkeypatch: pytest.MonkeyPatch,
        number: int,
    ) -> None:
        monkeypatch.setattr(fcntl, "flock", failing(number))
        for _ in range(3):
            upload(registry, BLOB[:5], BLOB[5:])
        assert read_blob(registry, "a", DIGEST) == BLOB
        upload(registry, digest=Digest.of(b""))
        assert registry.driver.list(paths.uploads("a")) == []
        push_image(registry, "a", b"layer", tags=["v1"])
        registry.delete_tag("a", "v1")
        ((level, message),) = log
        assert (level, "flock" in message, os.strerror(number) in message) == ("warn", True, True)

    def test_what_another_wrote_meanwhile_never_becomes_the_blob(
        self,
        registry: StorageRegistry,
        driver: FilesystemDriver,
        monkeypatch: pytest.MonkeyPatch,
        number: int,
    ) -> None:
        monkeypatch.setattr(fcntl, "flock", failing(number))
        session = registry.start_upload("a")
        session.write(io.BytesIO(BLOB))
        appended = driver.appended

        def overtaken(path: str) -> object:
            with open(f"{driver._tree.root}{path}", "r+b") as file:
                file.write(b"S")  # as NFS places what two clients append
            return appended(path)

        monkeypatch.setattr(driver, "appended", overtaken)
        with pytest.raises(DigestInvalid):
            session.commit(DIGEST)
        with pytest.raises(BlobUnknown):
            registry.resolve_blob("a", DIGEST)
        with pytest.raises(BlobUploadUnknown):
            registry.resume_upload("a", session.id)


def test_another_error_of_a_lock_is_no_lack(
    registry: StorageRegistry, log: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(errno.EIO))
    with pytest.raises(StorageError, match=os.strerror(errno.EIO)):
        upload(registry, BLOB)
    assert log == []


class TestUnsyncableFolders:
    def refuse(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        fsync = os.fsync

        def refused(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(number, os.strerror(number))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", refused)

    @pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
    def test_everything_goes_on_with_one_warning(
        self,
        registry: StorageRegistry,
        log: list[tuple[str, str]],
        monkeypatch: pytest.MonkeyPatch,
        number: int,
    ) -> None:
        self.refuse(monkeypatch, number)
        document = push_image(registry, "a", b"layer", tags=["v1", "v2"])
        upload(registry, BLOB)
        registry.delete_blob("a", DIGEST)
        registry.delete_tag("a", "v1")
        assert registry.get_manifest("a", "v2").content == document.content
        registry.delete_manifest("a", document.digest)
        ((level, message),) = log
        assert (level, "fsync of folders" in message) == ("warn", True)

    def test_a_broken_disk_is_an_error(
        self, registry: StorageRegistry, log: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.refuse(monkeypatch, errno.EIO)
        with pytest.raises(StorageError, match=os.strerror(errno.EIO)):
            push(registry, "a", image(), "v1")
        assert log == []


def delete_all(registry: StorageRegistry) -> None:
    """Of a repository with an image tagged v1, v2 and v3, and an upload."""
    (session,) = registry.driver.list(paths.uploads("a"))
    registry.delete_tag("a", "v1")
    assert registry.list_tags("a") == Page(["v2", "v3"])
    push(registry, "a", image(b"layer"), "v1")
    registry.delete_manifest("a", image(b"layer").digest)
    assert registry.list_tags("a") == Page([])
    registry.delete_blob("a", Digest.of(b"layer"))
    registry.resume_upload("a", session).cancel()
    assert registry.driver.list(paths.uploads("a")) == []
    push_image(registry, "a", b"layer", tags=["v1"])
    assert read_blob(registry, "a", Digest.of(b"layer")) == b"layer"


def fill(registry: StorageRegistry) -> None:
    push_image(registry, "a", b"layer", tags=["v1", "v2", "v3"])
    registry.start_upload("a").write(io.BytesIO(BLOB))


def test_folders_that_cannot_be_renamed(registry: StorageRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a lower layer of overlayfs."""
    fill(registry)
    rename = calls.rename

    def refused(source: str, destination: str) -> None:
        if os.path.isdir(source):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, destination)
        rename(source, destination)

    monkeypatch.setattr(calls, "rename", refused)
    session = registry.driver.list(paths.uploads("a"))[0]
    registry.delete_tag("a", "v1")
    registry.delete_manifest("a", image(b"layer").digest)
    registry.delete_blob("a", Digest.of(b"layer"))
    registry.resume_upload("a", session).cancel()
    assert registry.list_tags("a") == Page([])
    assert registry.driver.list(paths.uploads("a")) == []


@pytest.fixture
def overlay(tmp_path: Path) -> Iterator[Path]:
    """A store in the lower layer of an overlay: an image of a registry with its content in it."""
    parts = {name: tmp_path / name for name in ("lower", "upper", "work", "merged")}
    for part in parts.values():
        part.mkdir()
    fill(StorageRegistry(FilesystemDriver(str(parts["lower"]), paths.SCRATCH)))
    options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
    command = ["mount", "-t", "overlay", "overlay", "-o", options, str(parts["merged"])]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no overlay can be mounted here: {mounted.stderr.strip()}")
    try:
        yield parts["merged"]
    finally:
        subprocess.run(["umount", str(parts["merged"])], check=True)


def test_a_store_in_a_lower_layer_of_overlayfs(overlay: Path) -> None:
    delete_all(StorageRegistry(FilesystemDriver(str(overlay), paths.SCRATCH)))


class TestStaleHandles:
    """NFS says ESTALE of what another machine has replaced since it was looked up."""

    verbs: tuple[Callable[[FilesystemDriver], object], ...] = (
        lambda driver: driver.get_content("/f/file"),
        lambda driver: driver.reader("/f/file").close(),
        lambda driver: driver.stat("/f/file"),
        lambda driver: driver.list("/f"),
        lambda driver: driver.put_content("/f/file", b"x"),
        lambda driver: driver.put_contents({"/f/file": b"x"}),
        lambda driver: driver.delete("/f/file"),
        lambda driver: driver.delete_if("/f", "file", b"x"),
        lambda driver: driver.move("/f/file", "/g/file"),
    )

    def stale(self, monkeypatch: pytest.MonkeyPatch, times: int, number: int = errno.ESTALE) -> list[str]:
        """The first ``times`` looks at ``/f`` fail, by whichever call; returns those that did."""
        failed: list[str] = []

        def failing(name: str) -> Callable[..., object]:
            call = getattr(os, name)

            def once(path: object, *rest: object, **more: object) -> object:
                if len(failed) < times and isinstance(path, str) and "/store/f" in path:
                    failed.append(name)
                    raise OSError(number, os.strerror(number), path)
                return call(path, *rest, **more)

            return once

        for name in ("open", "stat", "listdir", "replace", "lstat", "unlink"):
            monkeypatch.setattr(os, name, failing(name))
        opened = open

        def open_file(path: object, *rest: object, **more: object) -> object:
            if len(failed) < times and isinstance(path, str) and "/store/f" in path:
                failed.append("open")
                raise OSError(number, os.strerror(number), path)
            return opened(path, *rest, **more)  # type: ignore[call-overload]

        monkeypatch.setattr("builtins.open", open_file)
        return failed

    @pytest.mark.parametrize("number", range(len(verbs)))
    def test_one_is_looked_up_again(
        self, driver: FilesystemDriver, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        driver.put_content("/f/file", b"x")
        with monkeypatch.context() as patched:
            failed = self.stale(patched, 1)
            self.verbs[number](driver)
        assert len(failed) == 1

    def test_more_are_a_store_that_is_unavailable(
        self, driver: FilesystemDriver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        driver.put_content("/f/file", b"x")
        with monkeypatch.context() as patched:
            failed = self.stale(patched, 5)
            with pytest.raises(StorageUnavailable, match="/f/file: "):
                driver.get_content("/f/file")
        assert len(failed) == 2

    def test_a_process_without_descriptors_left_asks_no_second_time(
        self, driver: FilesystemDriver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        driver.put_content("/f/file", b"x")
        with monkeypatch.context() as patched:
            failed = self.stale(patched, 1, errno.EMFILE)
            with pytest.raises(StorageUnavailable, match=os.strerror(errno.EMFILE)):
                driver.get_content("/f/file")
        assert len(failed) == 1


def test_a_tag_that_is_a_symbolic_link_is_deleted_alone(
    registry: StorageRegistry, driver: FilesystemDriver
) -> None:
    document = push_image(registry, "a", b"layer", tags=["v1"])
    tags = f"{driver._tree.root}{paths.tags('a')}"
    for name, target in (("latest", "v1"), ("elsewhere", f"{tags}/v1"), ("dangling", "gone")):
        os.symlink(target, f"{tags}/{name}")
    assert registry.list_tags("a") == Page(["elsewhere", "latest", "v1"])
    for name in ("latest", "elsewhere"):
        assert registry.get_manifest("a", name).content == document.content
        registry.delete_tag("a", name)
    assert registry.list_tags("a") == Page(["v1"])
    assert registry.get_manifest("a", "v1").content == document.content
    assert sorted(os.listdir(tags)) == ["dangling", "v1"]
