"""Uploads of large blobs: two writers at once, and plugins killed between any two requests."""

from __future__ import annotations

import io
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.forked import status_of_fork
from tests.storage.samples import read_blob
from udist_plugin.drivers import open_driver
from udist_plugin.drivers.swift.driver import SwiftDriver
from udist_plugin.drivers.swift.store import SwiftStore
from udist_plugin.errors import BlobUnknown, DigestInvalid
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.upkeep.purge import purge_uploads

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.swift.account import Account
    from udist_plugin.drivers.swift.client import SwiftClient

CHUNK = 1 << 20
FIRST, SECOND = b"first" * 500_000, b"other" * 500_000
DIGEST = Digest.of(FIRST)


@pytest.fixture
def opened(parameters: dict[str, object]) -> Callable[[], SwiftDriver]:
    """Opens a driver of its own, as another plugin does."""

    def opened() -> SwiftDriver:
        driver = open_driver("swift", {**parameters, "chunksize": CHUNK}, scratch=paths.SCRATCH)
        assert isinstance(driver, SwiftDriver)
        return driver

    return opened


def client_of(driver: SwiftDriver) -> SwiftClient:
    assert isinstance(driver.store, SwiftStore)
    return driver.store.client


def before_each(client: SwiftClient, look: Callable[[dict[str, Any]], None]) -> None:
    """Has ``look`` see, and change, what each request is made with."""
    attempt = client.attempt

    def looking(method: str, key: str, **options: Any) -> object:
        look(options)
        return attempt(method, key, **options)

    client.attempt = looking  # type: ignore[method-assign, assignment]


def unconditional(options: dict[str, Any]) -> None:
    """A request of which Swift has looked at the condition already, when nothing stood there yet."""
    options.get("headers", {}).pop("If-None-Match", None)


@pytest.mark.parametrize("size", [1000, len(FIRST)], ids=["small", "large"])
@pytest.mark.parametrize("resumed", [False, True], ids=["the same request", "another request"])
def test_of_two_that_were_first_the_one_whose_bytes_stand_makes_the_blob(
    opened: Callable[[], SwiftDriver], size: int, resumed: bool
) -> None:
    late = opened()
    before_each(client_of(late), unconditional)
    one, two = StorageRegistry(opened()), StorageRegistry(late)
    ours = one.start_upload("a")
    theirs = two.resume_upload("a", ours.id)
    ours.write(io.BytesIO(FIRST[:size]))
    theirs.write(io.BytesIO(SECOND[:size]))
    if resumed:
        ours.close()
        ours = one.resume_upload("a", ours.id)
    with pytest.raises(DigestInvalid):
        ours.commit(Digest.of(FIRST[:size]))
    for registry in (one, two):
        with pytest.raises(BlobUnknown):
            registry.resolve_blob("a", Digest.of(FIRST[:size]))


def push(registry: StorageRegistry) -> None:
    registry.push_blob("a", DIGEST, io.BytesIO(FIRST))


def push_in_two_parts(registry: StorageRegistry) -> None:
    upload = registry.start_upload("a")
    upload.write(io.BytesIO(FIRST[: 2 * CHUNK]))
    upload.write(io.BytesIO(FIRST[2 * CHUNK :]))
    upload.commit(DIGEST)


def killed_at(
    number: int, open_it: Callable[[], SwiftDriver], act: Callable[[StorageRegistry], None]
) -> bool:
    """Has a child do something, which is killed before its request of that ``number``; whether it was."""

    def push_until_killed() -> None:
        driver = open_it()
        left = iter(range(number, -1, -1))

        def count(_: object) -> None:
            if not next(left, 0):
                os.kill(os.getpid(), signal.SIGKILL)

        before_each(client_of(driver), count)
        act(StorageRegistry(driver))

    status = status_of_fork(push_until_killed)
    assert status in (0, -signal.SIGKILL)
    return status != 0


@pytest.mark.parametrize(
    ("act", "made_of", "pushed_before"),
    [(push, {3}, False), (push_in_two_parts, {2, 3}, True)],
    ids=["at once", "in two parts, again"],
)
def test_a_plugin_is_killed(
    opened: Callable[[], SwiftDriver],
    container: Account,
    act: Callable[[StorageRegistry], None],
    made_of: set[int],
    pushed_before: bool,
) -> None:
    """Before any request: the blob is whole or not there, one that was acknowledged before is there, and what
    remains is purged."""
    registry, number = StorageRegistry(opened()), 0
    while True:
        if pushed_before:
            push(registry)
        if not killed_at(number, opened, act):
            break
        number += 1
        driver = opened()
        assert purge_uploads(driver, -60).errors == []
        try:
            assert read_blob(StorageRegistry(driver), "a", DIGEST) == FIRST
        except BlobUnknown:
            assert not pushed_before
        check_remains(container.names(), made_of)
        for name in container.names():
            container.library.delete_object(container.name, name)
    assert read_blob(registry, "a", DIGEST) == FIRST
    assert number > 5


def check_remains(names: list[str], made_of: set[int]) -> None:
    """No upload, and no segments but those of the blob."""
    segments = [name for name in names if name.startswith("segments/")]
    assert not any("/_uploads/" in name or "/scratch/" in name for name in names)
    assert all(f"/{DIGEST.hex}/data/" in name for name in segments)
    stands = any(name.endswith(f"/{DIGEST.hex}/data") for name in names)
    assert len(segments) in (made_of if stands else {0})
