"""What is kept as long as somebody needs it, and goes afterwards."""

from __future__ import annotations

from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import image, index, push, push_image
from tests.storage.test_retention import DAY, UNTAGGED, Store, driver, kept, rules, turns
from udist_plugin.errors import (
    ConfigurationError,
    DigestInvalid,
    ManifestUnknown,
    NameInvalid,
    PathNotFound,
    RegistryError,
    StorageError,
    TagInvalid,
)
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import collect
from udist_plugin.storage.collection.retention import Retention
from udist_plugin.storage.leases import Lease, Leases

if TYPE_CHECKING:
    from tests.storage.interleaving import Turns

__all__ = ["driver", "kept", "turns"]


@pytest.fixture
def leases(kept: Store) -> Leases:
    return Leases(kept.driver)


def test_a_backup_that_is_deleted_takes_its_images_along(kept: Store, leases: Leases) -> None:
    """And no others: neither those that another backup needs, nor those that nobody leased."""
    for number in range(3):
        push_image(kept.registry, "a", b"%d" % number, tags=[f"v{number}"])
    unleased = push_image(kept.registry, "a", b"untagged")
    leases.create(kept.registry, "first", ["a:v0", "a:v1"])
    leases.create(kept.registry, "second", ["a:v1"])
    assert kept.collect(Retention()) == {}
    assert [lease.reference for lease in leases.release("first")] == ["a:v0", "a:v1"]
    gone = image(b"0").digest
    assert kept.collect(Retention()) == {"untag": {"v0"}, "quarantine": {gone}}
    assert kept.collect(Retention()) == {"delete": {gone}}
    for _ in range(2):
        assert kept.collect(Retention()) == {}
    assert kept.registry.list_tags("a").items == ["v1", "v2"]
    assert not kept.driver.exists(paths.blob_data(gone))
    assert kept.registry.get_manifest("a", unleased.digest).content == unleased.content
    leases.release("second")
    assert kept.collect(Retention())["untag"] == {"v1"}
    assert not [*leases.list(), *leases.releases()]


def test_what_belongs_to_a_released_image_goes_with_it(kept: Store, leases: Leases) -> None:
    shared = push_image(kept.registry, "a", b"shared")
    own = push_image(kept.registry, "a", b"own")
    leased, other = index(shared, own), index(shared)
    push(kept.registry, "a", leased)
    push(kept.registry, "a", other)
    signature = push_image(kept.registry, "a", b"signature", tags=[f"{referrers_tag(leased.digest)}.sig"])
    leases.create(kept.registry, "backup", [f"a@{leased.digest}"])
    assert kept.collect(UNTAGGED) == {"quarantine": {other.digest}}
    leases.release("backup")
    push(kept.registry, "a", other)
    assert kept.collect(Retention())["quarantine"] == {leased.digest, own.digest, signature.digest}


def test_a_lease_outlives_every_policy(kept: Store, leases: Leases) -> None:
    tagged = push_image(kept.registry, "a", b"tagged", tags=["v1"])
    untagged = push_image(kept.registry, "a", b"untagged")
    leases.create(kept.registry, "backup", ["a:v1", f"a@{untagged.digest}"])
    assert kept.collect(rules(last=0)) == {}
    assert kept.collect(UNTAGGED) == {}
    assert kept.registry.get_manifest("a", "v1").digest == tagged.digest


def test_what_is_pushed_again_after_the_release_stays(kept: Store, leases: Leases, turns: Turns) -> None:
    document = push_image(kept.registry, "a", b"one", tags=["v1"])
    leases.create(kept.registry, "backup", ["a:v1"])
    leases.release("backup")
    turns.pass_time(60)
    push(kept.registry, "a", document, "v1")
    for _ in range(3):
        assert kept.collect(Retention()) == {}


def test_a_released_tag_that_was_moved_stays(kept: Store, leases: Leases, turns: Turns) -> None:
    old = push_image(kept.registry, "a", b"old", tags=["v1"])
    leases.create(kept.registry, "backup", ["a:v1"])
    new = push_image(kept.registry, "a", b"new", tags=["v1"])
    turns.pass_time(60)
    leases.release("backup")
    assert kept.collect(Retention()) == {"quarantine": {old.digest}}
    assert kept.registry.get_manifest("a", "v1").digest == new.digest


def test_leases_are_listed_and_released_one_by_one(kept: Store, leases: Leases) -> None:
    digest = push_image(kept.registry, "a/b", b"one", tags=["v1"]).digest
    leases.create(kept.registry, "x", ["a/b:v1", f"a/b@{digest}"])
    leases.create(kept.registry, "y", ["a/b:v1"])
    assert set(leases.list()) == {Lease("x", "a/b", "v1"), Lease("x", "a/b", digest), Lease("y", "a/b", "v1")}
    assert leases.release("x", ["a/b:v1"]) == [Lease("x", "a/b", "v1")]
    assert list(leases.list("x")) == [Lease("x", "a/b", digest)]
    assert leases.release("nobody") == []


@pytest.mark.parametrize("owner", ["", ".", "..", "a/b", "-", "a" * 129, "ä"])
def test_an_owner_cannot_be_any_name(kept: Store, leases: Leases, owner: str) -> None:
    with pytest.raises(ConfigurationError, match="owner"):
        leases.create(kept.registry, owner, [])


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("a", NameInvalid),
        ("a:v1@sha256:" + "0" * 64, NameInvalid),
        ("A:v1", NameInvalid),
        ("a:b/c", TagInvalid),
        ("a@sha256:00", DigestInvalid),
    ],
)
def test_a_lease_is_on_a_tag_or_a_manifest(
    kept: Store, leases: Leases, reference: str, code: type[RegistryError]
) -> None:
    for verb in partial(leases.create, kept.registry), leases.release:
        with pytest.raises(code, match="expected either NAME:TAG or NAME@DIGEST") as caught:
            verb("x", [reference])
        assert caught.value.detail == {"reference": reference}


def test_what_is_not_there_cannot_be_leased(kept: Store, leases: Leases) -> None:
    push_image(kept.registry, "a", b"one", tags=["v1"])
    with pytest.raises(ManifestUnknown) as caught:
        leases.create(kept.registry, "x", ["a:v1", "a:v2", "b:v1"])
    errors = (caught.value, *caught.value.also)
    assert [error.detail for error in errors] == [{"reference": "a:v2"}, {"reference": "b:v1"}]
    assert list(leases.list()) == []


def test_a_lease_made_while_its_tag_goes_keeps_it(kept: Store, leases: Leases, turns: Turns) -> None:
    for tag in ("v1", "v2"):
        push_image(kept.registry, "a", tag.encode(), tags=[tag])
    turns.pass_time(DAY)
    steps = collect(kept.driver, apply=True, retention=rules(last=0))
    assert next(steps).tag == "v1"
    leases.create(kept.registry, "x", ["a:v2"])
    assert [step for step in steps if step.name] == []
    assert kept.registry.resolve_manifest("a", "v2").digest == image(b"v2").digest


def test_what_stands_among_the_leases_and_is_none_stops_the_run(kept: Store, leases: Leases) -> None:
    push_image(kept.registry, "a", b"one", tags=["v1"])
    leases.create(kept.registry, "x", ["a:v1"])
    kept.driver.put_content(f"{paths.LEASES}/x/a/_later/v2", b"")
    with pytest.raises(StorageError, match="is not a lease") as caught:
        kept.collect(Retention())
    assert caught.value.path == f"{paths.LEASES}/x/a/_later/v2"


def test_a_folder_that_is_made_again_while_it_is_listed(
    kept: Store, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_image(kept.registry, "a", b"one", tags=["v1"])
    leases.create(kept.registry, "x", ["a:v1"])
    folder, names = f"{paths.LEASES}/x/a", kept.driver.list
    missed: list[str] = []

    def missing_once(path: str) -> list[str]:
        if path == folder and not missed:
            missed.append(path)
            raise PathNotFound("not found", driver="", path=path)
        return names(path)

    monkeypatch.setattr(kept.driver, "list", missing_once)
    assert [lease.reference for lease in leases.list()] == ["a:v1"]
    assert bool(missed) is kept.driver.has_folders


def test_many_make_leases_at_the_same_time(kept: Store, leases: Leases) -> None:
    push_image(kept.registry, "a", b"one", tags=["v1"])

    def work(owner: str) -> None:
        for _ in range(20):
            leases.create(kept.registry, owner, ["a:v1"])
            leases.release(owner)
        leases.create(kept.registry, owner, ["a:v1"])

    threads = [Thread(target=work, args=(f"owner-{number % 4}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert leases.holds("a", "v1")
    assert kept.collect(rules(last=0)) == {}
