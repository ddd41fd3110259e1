"""What operating systems, network drives and consoles leave in a store is passed over, and left alone."""

from __future__ import annotations

import io
import os
import shutil
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
from udist_plugin.storage.collection.collect import GRACE, collect, undo
from udist_plugin.storage.collection.quarantine import Quarantine
from udist_plugin.storage.collection.retention import Policy, Retention
from udist_plugin.storage.leases import Lease, Leases
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.scrubbing import repository
from udist_plugin.storage.scrubbing.scrub import Repair, scrub
from udist_plugin.storage.upkeep.checkup import check
from udist_plugin.storage.upkeep.purge import purge_uploads
from udist_plugin.storage.uploads import STARTED_AT
from udist_plugin.storage.usage import usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver

FILES = [".DS_Store", "._v1", "Thumbs.db", "desktop.ini", "v1 (conflicted copy)", "link.sync-conflict", "~$a"]
FOLDERS = ["@eaDir", ".snapshot", "lost+found", "$RECYCLE.BIN", "v1 copy"]
SUBJECT = image(b"subject")
UNTAGGED = Retention((Policy(untagged=True),))


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


def litter(
    driver: StorageDriver, root: Path, files: Sequence[str] = FILES, folders: Sequence[str] = FOLDERS
) -> set[str]:
    """Leaves files and folders in every folder; returns their paths. There is a ``link`` in each folder."""
    if isinstance(driver, MemoryObjects):
        keys = [found.key for found in driver.store.objects("")]
        places = {key.rpartition("/")[0] for key in keys}
        places |= {above for place in list(places) for above in _above(place)}
        left = {f"{place}/{name}" for place in places for name in (*files, "")}
        below = [f"{name}/{inside}" for name in folders for inside in ("", "link")]
        left |= {f"{place}/{name}" for place in places for name in below}
        for key in left:
            driver.store.put(key, b"foreign")
        return left
    left = set()
    for place, _, _ in os.walk(root):
        for name in files:
            (root / place / name).write_bytes(b"foreign")
        for name in folders:
            (root / place / name).mkdir()
            (root / place / name / "link").write_bytes(b"foreign")
        left |= {f"{place}/{name}" for name in (*files, *folders)}
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


@pytest.mark.parametrize(
    ("files", "folders"), [*(([name], []) for name in FILES), *(([], [name]) for name in FOLDERS)]
)
def test_upkeep_finds_the_same_beside_them(
    driver: StorageDriver,
    files: list[str],
    folders: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Quarantine, "time", lambda _: time.time() + 2 * GRACE)
    monkeypatch.setattr(repository, "YOUNG", -60)
    neglect(driver)
    clean = copied(driver, tmp_path)
    litter(driver, tmp_path, files, folders)
    assert found_by_upkeep(driver) == found_by_upkeep(clean)


def copied(driver: StorageDriver, root: Path) -> StorageDriver:
    """Another store with the same files."""
    if isinstance(driver, MemoryObjects):
        other = MemoryObjects()
        for found in driver.objects.objects(""):
            other.objects.put(found.key, driver.objects.get(found.key).read())
        return other
    copy = root.with_name(f"{root.name}-clean")
    shutil.copytree(root, copy)
    return FilesystemDriver(str(copy), paths.SCRATCH)


def neglect(driver: StorageDriver) -> None:
    """A store in which there is something for everyone to do, in quarantine and elsewhere."""
    registry = StorageRegistry(driver)
    fill(registry)
    leases = Leases(driver)
    leases.create(registry, "backup", ["a:v1", f"a/b@{image(b'layer').digest}", "c:v2"])
    leases.release("backup", ["c:v2"])
    list(collect(driver, apply=True, retention=UNTAGGED))
    push_image(registry, "d", b"untagged")
    leases.create(registry, "other", ["a:v1", "c:v1"])
    leases.release("other", ["c:v1"])
    driver.put_content(paths.blob_data(Digest.of(b"damaged")), b"d-maged")
    driver.put_content(paths.damaged(Digest.of(b"other")), b"oth-r")
    driver.put_content(paths.subjects("a"), b"")
    driver.put_content(paths.tag_index("a", "half", SUBJECT.digest), SUBJECT.digest.encode())


def found_by_upkeep(driver: StorageDriver) -> list[object]:
    return [
        list(collect(driver)),
        list(collect(driver, retention=UNTAGGED)),
        usage(driver),
        list(scrub(driver)),
        leased(driver),
        leased(driver, "backup"),
        list(scrub(driver, repair=Repair(links=True, blobs=True))),
        list(collect(driver, apply=True, retention=UNTAGGED, pause=lambda _: None)),
        sorted(undo(driver)),
        list(scrub(driver)),
    ]


def leased(driver: StorageDriver, owner: str = "") -> list[Lease]:
    """Without leases on tags that do not exist: a file may be called like a tag."""
    return sorted(lease for lease in Leases(driver).list(owner) if lease.target not in FILES)
