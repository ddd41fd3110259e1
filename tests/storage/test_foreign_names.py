"""What operating systems, network drives and consoles leave in a store is passed over, and left alone."""

from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.drivers.memory_store import MemoryObjects
from tests.http_api.wsgi import Client
from tests.storage.samples import image, index, push, push_image
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import Page
from udist_plugin.storage import catalog, paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.upkeep.checkup import check
from udist_plugin.storage.upkeep.purge import purge_uploads
from udist_plugin.storage.uploads import STARTED_AT

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver

FILES = [".DS_Store", "._v1", "Thumbs.db", "desktop.ini", "v1 (conflicted copy)", "link.sync-conflict", "~$a"]
FOLDERS = ["@eaDir", ".snapshot", "lost+found", "$RECYCLE.BIN", "v1 copy"]
SUBJECT = image(b"subject")


@pytest.fixture(params=["folder", "bucket"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> StorageDriver:
    return MemoryObjects() if request.param == "bucket" else FilesystemDriver(str(tmp_path), paths.SCRATCH)


def fill(registry: StorageRegistry) -> str:
    """Pushes to several repositories; returns the path of an upload that is abandoned."""
    for name in ("a", "a/b", "c"):
        push_image(registry, name, b"layer", tags=["v1", "v2"])
        push(registry, name, image(b"signature", subject=SUBJECT))
        push(registry, name, index(), "other")
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(b"some"))
    path = paths.upload("a", upload.id)
    began = time.strftime(STARTED_AT, time.gmtime(time.time() - 7200))
    registry.driver.put_content(f"{path}/startedat", began.encode())
    return path


def litter(driver: StorageDriver, root: Path) -> set[str]:
    """Leaves something in every folder; returns what."""
    if isinstance(driver, MemoryObjects):
        keys = [found.key for found in driver.store.objects("")]
        folders = {key.rpartition("/")[0] for key in keys}
        folders |= {above for folder in list(folders) for above in _above(folder)}
        left = {f"{folder}/{name}" for folder in folders for name in (*FILES, "")}
        left |= {f"{folder}/{name}/" for folder in folders for name in FOLDERS}
        for key in left:
            driver.store.put(key, b"")
        return left
    left = set()
    for folder, _, _ in os.walk(root):
        for name in FILES:
            (root / folder / name).write_bytes(b"foreign")
            left.add(f"{folder}/{name}")
        for name in FOLDERS:
            (root / folder / name).mkdir()
            left.add(f"{folder}/{name}")
    return left


def _above(folder: str) -> list[str]:
    return [folder.rsplit("/", count)[0] for count in range(1, folder.count("/") + 1)]


def standing(driver: StorageDriver, left: set[str]) -> set[str]:
    if isinstance(driver, MemoryObjects):
        return left & {found.key for found in driver.store.objects("")}
    return {path for path in left if os.path.lexists(path)}


def test_what_is_none_of_the_registry_s_is_passed_over(
    driver: StorageDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "LOOKS", 2)  # an object store is walked
    abandoned = fill(StorageRegistry(driver))
    driver.put_content(f"{paths.SCRATCH}/{'0' * 32}", b"left by a process that was killed")
    left = litter(driver, tmp_path)
    registry = StorageRegistry(driver)
    client = Client(Application(registry))

    assert registry.list_repositories() == Page(["a", "a/b", "c"])
    assert StorageRegistry(driver).list_repositories(1, "a") == Page(["a/b"], "a/b")
    assert client.get("/v2/a/tags/list").json()["tags"] == ["other", "v1", "v2"]
    found = client.get(f"/v2/a/referrers/{SUBJECT.digest}").json()["manifests"]
    assert [each["digest"] for each in found] == [image(b"signature", subject=SUBJECT).digest]
    for tag in (*FILES, *FOLDERS):
        if " " not in tag and "@" not in tag:
            for method in ("GET", "HEAD", "DELETE"):
                assert client.request(method, f"/v2/a/manifests/{tag}").status == 404, tag

    assert purge_uploads(driver, -60, dry_run=True) == ([f"{paths.SCRATCH}/{'0' * 32}", abandoned], [])
    assert standing(driver, left) == left
    assert [step.name for step in check(driver) if step.error] == []

    assert client.request("DELETE", "/v2/a/manifests/other").status == 202
    assert client.request("DELETE", f"/v2/a/manifests/{image(b'layer').digest}").status == 202
    assert client.request("DELETE", f"/v2/a/blobs/{Digest.of(b'layer')}").status == 202
    assert client.get("/v2/a/tags/list").json()["tags"] == []
    push_image(registry, "a", b"layer", tags=["v1"])
    assert registry.get_manifest("a", "v1").content == image(b"layer").content

    purged = purge_uploads(driver, -60)
    assert (abandoned in purged.paths, purged.errors) == (True, [])
    gone = {path for path in left - standing(driver, left) if "/tags/" not in path and "/sha256/" not in path}
    assert all(abandoned in f"/{path}" for path in gone)
    assert registry.list_repositories() == Page(["a", "a/b", "c"])
