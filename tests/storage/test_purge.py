"""Uploads that nobody goes on with are removed, and nothing else is."""

from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import push_image
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import BlobUploadUnknown, StorageError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.upkeep.purge import purge_uploads
from udist_plugin.storage.uploads import STARTED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.registry import StorageRegistry

DAY = 24 * 3600.0


def begun(registry: StorageRegistry, name: str, age: float) -> str:
    """An upload that began ``age`` seconds ago; returns its path."""
    upload = registry.start_upload(name)
    upload.write(io.BytesIO(b"some content"))
    path = paths.upload(name, upload.id)
    started = time.strftime(STARTED_AT, time.gmtime(time.time() - age))
    registry.driver.put_content(f"{path}/startedat", started.encode())
    return path


def test_a_thousand_abandoned_uploads_are_purged(registry: StorageRegistry, driver: StorageDriver) -> None:
    document = push_image(registry, "a", b"layer", tags=["v1"])
    abandoned = {begun(registry, f"a/{number % 10}", 2 * DAY) for number in range(1000)}
    young = begun(registry, "a/1", DAY / 2)
    assert set(purge_uploads(driver, DAY, dry_run=True).paths) == abandoned
    assert all(driver.exists(path) for path in abandoned)
    purged = purge_uploads(driver, DAY)
    assert set(purged.paths) == abandoned
    assert purged.errors == []
    assert not any(driver.exists(path) for path in abandoned)
    with driver.appended(f"{young}/data") as content:
        assert content.read() == b"some content"
    assert registry.get_manifest("a", "v1").content == document.content
    assert purge_uploads(driver, DAY).paths == []


@pytest.fixture(params=["UTC0", "AHEAD-14", "BEHIND12"])
def anywhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In time zones that are hours from UTC."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("anywhere")
def test_an_upload_is_purged_when_it_is_old_enough_and_not_before(
    registry: StorageRegistry, driver: StorageDriver
) -> None:
    begun(registry, "a", DAY - 60)
    old = begun(registry, "a", DAY + 60)
    assert purge_uploads(driver, DAY) == ([old], [])


def test_an_upload_as_old_as_that_stays(
    registry: StorageRegistry, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1e9)
    begun(registry, "a", DAY)
    assert purge_uploads(driver, DAY, dry_run=True) == ([], [])


def test_a_purged_upload_is_unknown(registry: StorageRegistry, driver: StorageDriver) -> None:
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(b"some"))
    purge_uploads(driver, -60)
    for verb in (lambda: upload.write(io.BytesIO(b"more")), lambda: upload.commit(Digest.of(b"some"))):
        with pytest.raises(BlobUploadUnknown):
            verb()
    with pytest.raises(BlobUploadUnknown):
        registry.resume_upload("a", upload.id)
    assert not (driver.exists(paths.uploads("a")) and driver.list(paths.uploads("a")))


@pytest.mark.parametrize("started", [None, b"", b"yesterday", b"\xff", b"0001-01-01T00:00:00", b"x" * 1000])
def test_a_broken_upload_is_purged_by_the_time_it_changed(
    registry: StorageRegistry, driver: StorageDriver, started: bytes | None
) -> None:
    path = begun(registry, "a", 0)
    if started is None:
        driver.delete(f"{path}/startedat")
    else:
        driver.put_content(f"{path}/startedat", started)
    whole = begun(registry, "a", 2 * DAY)
    assert path not in purge_uploads(driver, DAY, dry_run=True).paths or started == b"0001-01-01T00:00:00"
    purged = purge_uploads(driver, -60)
    assert set(purged.paths) == {path, whole}
    assert purged.errors == []


def test_one_that_cannot_be_removed_does_not_keep_the_others(
    registry: StorageRegistry, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, *others = [begun(registry, "a", 2 * DAY) for _ in range(5)]
    delete = driver.delete

    def refusing(path: str, *, durable: bool = True) -> None:
        if path == stuck:
            raise StorageError("permission denied", path=path)
        delete(path, durable=durable)

    monkeypatch.setattr(driver, "delete", refusing)
    purged = purge_uploads(driver, DAY)
    assert set(purged.paths) == set(others)
    assert [error.path for error in purged.errors] == [stuck]


def test_an_upload_that_ends_meanwhile_is_no_error(
    registry: StorageRegistry, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        begun(registry, "a", 2 * DAY)
    get_content = driver.get_content

    def vanishing(path: str, limit: int = 64) -> bytes:
        content = get_content(path, limit)
        driver.delete(path.removesuffix("/startedat"))
        return content

    monkeypatch.setattr(driver, "get_content", vanishing)
    assert purge_uploads(driver, DAY) == ([], [])


def test_scratch_files_of_killed_processes_are_purged(tmp_path: Path) -> None:
    driver = FilesystemDriver(str(tmp_path), paths.SCRATCH)
    scratch = tmp_path / paths.SCRATCH[1:]
    with driver.writer("/file") as writer:
        writer.write(b"under way")
        left = ["0" * 32, f"{'1' * 32}.0", f"doctor-{'2' * 16}"]
        (scratch / left[0]).write_bytes(b"x")
        for name in left[1:]:
            (scratch / name).mkdir()
            (scratch / name / "file").write_bytes(b"x")
        for name in left:
            os.utime(scratch / name, (1, 1))
        assert set(purge_uploads(driver, DAY).paths) == {f"{paths.SCRATCH}/{name}" for name in left}
        writer.commit()
    assert driver.get_content("/file") == b"under way"
    assert driver.list(paths.SCRATCH) == []
