"""Leases on tags that do not stay where they are: the table of ``udist help stores``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import Document, image, index, push, push_image
from tests.storage.test_leases import leases
from tests.storage.test_retention import UNTAGGED, Store, driver, kept, rules, turns
from udist_plugin.errors import StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.collection.retention import Retention

if TYPE_CHECKING:
    from tests.storage.interleaving import Turns
    from udist_plugin.storage.leases import Leases

__all__ = ["driver", "kept", "leases", "turns"]

OLD, NEW = image(b"old").digest, image(b"new").digest


class Tag:
    """The tag v1 of the repository a. Between any two pushes and releases there is a minute."""

    def __init__(self, store: Store, leases: Leases, turns: Turns) -> None:
        self._store = store
        self._leases = leases
        self._turns = turns
        self.push(b"old")

    def push(self, layer: bytes) -> None:
        self._turns.pass_time(60)
        push_image(self._store.registry, "a", layer, tags=["v1"])

    def delete(self) -> None:
        self._store.registry.delete_tag("a", "v1")

    def lease(self, owner: str) -> None:
        self._leases.create(self._store.registry, owner, ["a:v1"])

    def release(self, owner: str) -> None:
        self._turns.pass_time(60)
        assert self._leases.release(owner)


@pytest.fixture
def tag(kept: Store, leases: Leases, turns: Turns) -> Tag:
    return Tag(kept, leases, turns)


def gone(*digests: str) -> dict[str, set[str]]:
    return {"quarantine": set(digests)}


UNTAG = {"untag": {"v1"}}


def finish(kept: Store, leases: Leases) -> None:
    """What went is deleted, nothing else goes, and nothing of the leases is left."""
    kept.collect(Retention())
    assert kept.collect(Retention()) == {}
    assert not [*leases.list(), *leases.releases()]


def test_a_moved_tag_leaves_its_lease_on_the_manifest(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("x")
    tag.push(b"new")
    assert kept.collect(UNTAGGED) == {}
    assert kept.collect(rules(last=0)) == {}
    assert kept.registry.resolve_manifest("a", OLD).digest == OLD
    tag.release("x")
    assert kept.collect(Retention()) == gone(OLD)
    finish(kept, leases)
    assert kept.registry.resolve_manifest("a", "v1").digest == NEW
    assert kept.collect(rules(last=0)) == UNTAG


def test_a_tag_that_was_moved_back_goes(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("x")
    tag.push(b"new")
    tag.push(b"old")
    tag.release("x")
    assert kept.collect(Retention()) == UNTAG | gone(OLD)
    finish(kept, leases)


def test_a_tag_that_was_moved_back_after_the_release_stays(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("x")
    tag.push(b"new")
    tag.release("x")
    tag.push(b"old")
    assert kept.collect(Retention()) == {}
    finish(kept, leases)


def test_two_owners_of_one_tag_keep_what_each_leased(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("x")
    tag.push(b"new")
    tag.lease("y")
    tag.release("x")
    assert kept.collect(Retention()) == gone(OLD)
    tag.release("y")
    assert kept.collect(Retention()) == {"delete": {OLD}} | UNTAG | gone(NEW)
    finish(kept, leases)


def test_the_second_owner_may_release_first(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("x")
    tag.push(b"new")
    tag.lease("y")
    tag.release("y")
    assert kept.collect(UNTAGGED) == {}  # the tag is under the other lease
    tag.release("x")
    assert kept.collect(Retention()) == UNTAG | gone(OLD, NEW)
    finish(kept, leases)


def test_a_tag_that_two_leased_and_somebody_moved_back_goes_with_the_last(
    kept: Store, leases: Leases, tag: Tag
) -> None:
    tag.lease("x")
    tag.push(b"new")
    tag.lease("y")
    tag.push(b"old")
    tag.release("x")
    assert kept.collect(UNTAGGED) == {}
    tag.release("y")
    assert kept.collect(Retention()) == UNTAG | gone(OLD, NEW)
    finish(kept, leases)


def test_a_deleted_tag_leaves_its_lease_on_the_manifest(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("x")
    tag.delete()
    assert kept.collect(UNTAGGED) == {}
    tag.release("x")
    assert kept.collect(Retention()) == gone(OLD)
    finish(kept, leases)


@pytest.mark.parametrize(("again", "goes"), [(b"old", UNTAG | gone(OLD)), (b"new", gone(OLD))])
def test_a_tag_that_was_deleted_and_pushed_again(
    kept: Store, leases: Leases, tag: Tag, again: bytes, goes: object
) -> None:
    tag.lease("x")
    tag.delete()
    tag.push(again)
    assert kept.collect(UNTAGGED) == {}
    tag.release("x")
    assert kept.collect(Retention()) == goes
    finish(kept, leases)


def test_a_leased_index_keeps_its_manifests_when_its_tag_moves(kept: Store, leases: Leases, tag: Tag) -> None:
    shared, own = (push_image(kept.registry, "b", layer) for layer in (b"shared", b"own"))
    leased = index(shared, own)
    push(kept.registry, "b", leased, "v1")
    leases.create(kept.registry, "x", ["b:v1"])
    push(kept.registry, "b", index(shared), "v1")
    assert kept.collect(UNTAGGED) == {}
    tag.release("x")
    assert kept.collect(Retention()) == gone(leased.digest, own.digest)
    finish(kept, leases)


def test_a_manifest_that_is_leased_by_its_digest_outlives_its_index(
    kept: Store, leases: Leases, tag: Tag
) -> None:
    child, other = (push_image(kept.registry, "b", layer) for layer in (b"child", b"other"))
    above: Document = index(child, other)
    push(kept.registry, "b", above, "v1")
    leases.create(kept.registry, "x", ["b:v1"])
    leases.create(kept.registry, "y", [f"b@{child.digest}"])
    tag.release("x")
    assert kept.collect(Retention()) == UNTAG | gone(above.digest, other.digest)
    tag.release("y")
    assert kept.collect(Retention())["quarantine"] == {child.digest}
    finish(kept, leases)


def test_a_lease_that_is_made_again_moves_with_its_tag(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("x")
    tag.push(b"new")
    tag.lease("x")
    assert kept.collect(Retention()) == gone(OLD)
    tag.release("x")
    assert kept.collect(Retention()) == {"delete": {OLD}} | UNTAG | gone(NEW)
    finish(kept, leases)


def test_two_releases_between_two_runs_are_both_seen(kept: Store, leases: Leases, tag: Tag) -> None:
    for layer in b"new", b"old":
        tag.lease("x")
        tag.release("x")
        tag.push(layer)
    assert kept.collect(Retention()) == gone(NEW)  # the tag was pushed after its release
    finish(kept, leases)


def test_a_release_that_was_killed_is_taken_up(kept: Store, leases: Leases, tag: Tag) -> None:
    """The next run sees it noted, but the lease still there."""
    tag.lease("x")
    (lease,) = leases.list()
    held = kept.driver.get_content(lease.path())
    tag.release("x")
    kept.driver.put_content(lease.path(), held)
    assert kept.collect(Retention()) == {}
    kept.driver.delete(lease.path())
    assert kept.collect(Retention()) == UNTAG | gone(OLD)
    finish(kept, leases)


def test_owners_are_named(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("y")
    tag.lease("x")
    tag.push(b"new")
    push_image(kept.registry, "a/v1", b"old", tags=["v1"])
    leases.create(kept.registry, "z", ["a/v1:v1"])
    leases.create(kept.registry, "new", ["a:v1"])
    assert leases.owners("a", "v1") == ["new", "x", "y"]
    assert leases.owners("a", OLD) == ["x", "y"]
    assert leases.owners("a", NEW) == ["new"]
    assert leases.owners("b", "v1") == []


def test_a_lease_that_does_not_say_what_it_is_on_stops_the_run(kept: Store, leases: Leases, tag: Tag) -> None:
    tag.lease("x")
    (lease,) = leases.list()
    kept.driver.put_content(lease.path(), b"")
    with pytest.raises(StorageError, match="holds no digest") as caught:
        kept.collect(Retention())
    assert caught.value.path == lease.path() == f"{paths.LEASES}/x/a/_tags/v1"
