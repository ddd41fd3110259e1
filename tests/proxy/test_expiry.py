"""What is cached is dropped after its time, whoever is there by then."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.drivers.memory_store import MemoryObjects
from tests.http_api.images import image
from tests.link.waiting import until
from tests.proxy.upstreams import (
    LAYER,
    NAME,
    SMALL,
    Scripted,
    configuration,
    is_stored,
    scripted,
    stock_proxy,
)
from udist_plugin import create_app
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import BlobUnknown, ManifestUnknown, PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.proxy import expiry as expiring
from udist_plugin.proxy.expiry import BLOB, MANIFEST, STOCK, Cached, Expiry
from udist_plugin.storage import paths
from udist_plugin.storage.data import BlobData
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver

IMAGE = image(SMALL)
DIGEST = Digest.of(SMALL)
TTL = 1000.0


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for pushes that are under way: there are none."""
    monkeypatch.setattr(expiring, "PAUSE", 0.0)


@pytest.fixture(params=["filesystem", "inmemory", "objects"])
def driver(request: pytest.FixtureRequest, tmp_path: Path) -> StorageDriver:
    if request.param == "filesystem":
        return FilesystemDriver.from_parameters({"rootdirectory": str(tmp_path)}, scratch=paths.SCRATCH)
    return InMemoryDriver() if request.param == "inmemory" else MemoryObjects()


@pytest.fixture
def store(driver: StorageDriver) -> StorageRegistry:
    return StorageRegistry(driver)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def expiry(driver: StorageDriver, store: StorageRegistry, clock: Clock) -> Expiry:
    return Expiry(driver, lambda: store, TTL, clock, lambda _: False)


def keep(store: StorageRegistry, name: str, content: bytes = SMALL) -> Digest:
    import io

    digest = Digest.of(content)
    store.push_blob(name, digest, io.BytesIO(content))
    return digest


def test_a_blob_goes_after_its_time_with_its_data(
    driver: StorageDriver, store: StorageRegistry, clock: Clock, expiry: Expiry
) -> None:
    expiry.plan(Cached(BLOB, NAME, DIGEST), TTL)
    keep(store, NAME)
    clock.now += TTL - 1
    expiry.drop_due()
    assert store.has_blob(NAME, DIGEST)
    clock.now += 1 + TTL / 100
    expiry.drop_due()
    with pytest.raises(BlobUnknown):
        store.resolve_blob(NAME, DIGEST)
    assert not driver.exists(paths.blob_data(DIGEST))
    assert planned(driver) == []
    expiry.drop_due()


def test_data_stays_for_whoever_has_it_too(
    driver: StorageDriver, store: StorageRegistry, clock: Clock, expiry: Expiry
) -> None:
    expiry.plan(Cached(BLOB, NAME, DIGEST), TTL)
    keep(store, NAME)
    keep(store, "own/repository")
    clock.now += TTL * 2
    expiry.drop_due()
    assert not store.has_blob(NAME, DIGEST)
    assert store.has_blob("own/repository", DIGEST)
    assert driver.exists(paths.blob_data(DIGEST))


@pytest.mark.parametrize("looks", [False, True])
def test_data_stays_for_whoever_links_it_meanwhile(
    driver: StorageDriver, store: StorageRegistry, clock: Clock, looks: bool
) -> None:
    """Who looked before it was to go makes the link without another look."""

    def push(_: float) -> bool:
        if looks:
            store.mount_blob("own/repository", DIGEST, None)
        else:
            driver.put_content(paths.link(paths.layer("own/repository", DIGEST)), DIGEST.encode())
        return False

    keep(store, NAME)
    expiry = Expiry(driver, lambda: store, TTL, clock, push)
    expiry.plan(Cached(BLOB, NAME, DIGEST), TTL)
    clock.now += TTL * 2
    expiry.drop_due()
    assert driver.exists(paths.blob_data(DIGEST))
    assert store.has_blob("own/repository", DIGEST)
    assert planned(driver) == []


def test_data_stays_that_another_digest_stands_for(
    driver: StorageDriver, store: StorageRegistry, clock: Clock, expiry: Expiry
) -> None:
    """Stock servers keep a blob by its sha256, and say so in the link of the digest that it was pushed by."""
    other = Digest.of(SMALL, "sha512")
    driver.put_content(paths.link(paths.layer("own/repository", other)), DIGEST.encode())
    driver.put_content(paths.link(paths.revision("own/repository", other)), DIGEST.encode())
    keep(store, NAME)
    expiry.plan(Cached(BLOB, NAME, DIGEST), TTL)
    clock.now += TTL * 2
    expiry.drop_due()
    assert store.has_blob("own/repository", other)


def test_a_plugin_that_closes_leaves_the_rest_to_the_next(
    driver: StorageDriver, store: StorageRegistry, clock: Clock, expiry: Expiry
) -> None:
    keep(store, NAME)
    expiry.plan(Cached(BLOB, NAME, DIGEST), TTL)
    clock.now += TTL * 2
    Expiry(driver, lambda: store, TTL, clock, lambda _: True).drop_due()
    assert planned(driver)
    expiry.drop_due()
    assert planned(driver) == []
    with pytest.raises(PathNotFound):
        BlobData(driver).stat(DIGEST)


def test_a_manifest_goes_with_its_tags(
    driver: StorageDriver, store: StorageRegistry, clock: Clock, expiry: Expiry
) -> None:
    from udist_plugin.oci.manifest import Manifest

    manifest = Manifest.parse(IMAGE)
    expiry.plan(Cached(MANIFEST, NAME, manifest.digest), TTL)
    store.push_manifest(NAME, manifest, ["v1"])
    clock.now += TTL * 2
    expiry.drop_due()
    for target in ("v1", manifest.digest):
        with pytest.raises(ManifestUnknown):
            store.resolve_manifest(NAME, target)


def test_what_is_kept_without_limit_is_not_planned(driver: StorageDriver, expiry: Expiry) -> None:
    expiry.plan(Cached(BLOB, NAME, DIGEST), math.inf)
    assert planned(driver) == []


def test_what_a_stock_server_planned_is_dropped_once(
    driver: StorageDriver, store: StorageRegistry, clock: Clock, expiry: Expiry
) -> None:
    other = keep(store, NAME, LAYER)
    keep(store, NAME)
    due = datetime.fromtimestamp(clock.now + TTL, UTC).isoformat().replace("+00:00", ".123456789Z")
    later = datetime.fromtimestamp(clock.now + 9 * TTL, UTC).isoformat()
    state = {
        f"{NAME}@{digest}": {"Key": f"{NAME}@{digest}", "ExpiryData": expires, "EntryType": BLOB}
        for digest, expires in ((DIGEST, due), (other, later))
    }
    state |= {"broken": {"ExpiryData": 1}, "../x@y": {"ExpiryData": due, "EntryType": BLOB}}
    driver.put_content(STOCK, json.dumps(state).encode())
    clock.now += TTL * 2
    expiry.drop_due()
    assert not store.has_blob(NAME, DIGEST)
    assert store.has_blob(NAME, other)
    assert json.loads(driver.get_content(STOCK)).keys() == {f"{NAME}@{other}", "broken"}
    keep(store, NAME)
    expiry.drop_due()
    assert store.has_blob(NAME, DIGEST)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"a": 1}', b"\xff"])
def test_a_state_that_is_none_harms_nobody(content: bytes, driver: StorageDriver, expiry: Expiry) -> None:
    driver.put_content(STOCK, content)
    expiry.drop_due()
    assert driver.get_content(STOCK) == content


@pytest.mark.parametrize("content", [b"", b"[]", b'{"key": "a@b", "kind": 0}', b'{"key": 1, "kind": 0}'])
def test_a_plan_that_cannot_be_read_harms_nobody(
    content: bytes, driver: StorageDriver, clock: Clock, expiry: Expiry
) -> None:
    driver.put_content(f"{paths.CACHED}/{int(clock.now) - 1:012d}/x", content)
    driver.put_content(f"{paths.CACHED}/others/x", content)
    expiry.drop_due()
    assert planned(driver) == ["others"]


def test_another_plugin_drops_what_one_has_pulled(tmp_path: Path) -> None:
    remote = Scripted(SMALL, v1=IMAGE)
    with scripted(remote) as url, create_app(configuration(url, tmp_path, ttl="1s"), {}) as app:
        app.registry.get_manifest(NAME, "v1")
        with app.registry.open_blob(NAME, DIGEST) as content:
            assert content.read() == SMALL
    with create_app(configuration("http://127.0.0.1:1", tmp_path, ttl="1s"), {}):
        until(lambda: not is_stored(tmp_path, DIGEST))
        until(lambda: not list((tmp_path / "docker/registry/v2/udist/cached").iterdir()))
    assert not list((tmp_path / "docker/registry/v2/blobs").rglob("data"))


def test_what_distribution_pulled_and_planned_is_dropped(tmp_path: Path) -> None:
    remote, store = Scripted(SMALL, v1=IMAGE), tmp_path / "store"
    with scripted(remote) as url:
        configured = configuration(url, store, ttl="6s")
        with stock_proxy(configured, tmp_path / "config.yml") as send:
            assert send("GET", f"/v2/{NAME}/blobs/{DIGEST}", b"", {}).status == 200
            until((store / "scheduler-state.json").exists)  # within five seconds
        assert is_stored(store, DIGEST)
        with create_app(configuration(url, store, ttl="1s"), {}):
            until(lambda: not is_stored(store, DIGEST))
            until(lambda: json.loads((store / "scheduler-state.json").read_text()) == {})


def planned(driver: StorageDriver) -> list[str]:
    try:
        return driver.list(paths.CACHED)
    except PathNotFound:
        return []
