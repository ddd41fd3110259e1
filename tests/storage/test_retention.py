"""Tags and manifests that go by policies, and what keeps them; the store has a clock of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.interleaving import HOUR, Turns, store
from tests.storage.samples import Document, image, index, push, push_image, read_blob
from tests.storage.test_collection import files
from udist_plugin.errors import ManifestUnknown, StorageError
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.patterns.pattern import Pattern
from udist_plugin.storage import paths
from udist_plugin.storage.collection import collect as collecting
from udist_plugin.storage.collection.collect import collect, undo
from udist_plugin.storage.collection.quarantine import BEGUN, Quarantine
from udist_plugin.storage.collection.retention import Policy, Retention, TagRule
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers import validation
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.drivers.base import StorageDriver

DAY = 24 * HOUR
UNTAGGED = Retention((Policy(untagged=True),))


@pytest.fixture
def turns() -> Turns:
    return Turns(0, jumps=False)


@pytest.fixture(params=["files", "objects"])
def driver(request: pytest.FixtureRequest, turns: Turns) -> Iterator[StorageDriver]:
    with store(turns, objects=request.param == "objects") as driver:
        yield driver


class Store:
    """Collects by one set of policies, in a dry run first: what it shows is what is done."""

    def __init__(self, driver: StorageDriver, turns: Turns) -> None:
        self.driver = driver
        self.registry = StorageRegistry(driver)
        self._turns = turns

    def collect(self, retention: Retention = UNTAGGED, *, days: float = 1.1) -> dict[str, set[str]]:
        """What goes of a repository, ``days`` after what was done last: tags, and digests of manifests."""
        self._turns.pass_time(days * DAY)
        shown = self.run(retention, apply=False)
        done = self.run(retention, apply=True)
        assert shown == done
        return done

    def run(self, retention: Retention, *, apply: bool) -> dict[str, set[str]]:
        done: dict[str, set[str]] = {}
        for step in collect(self.driver, retention=retention, apply=apply, pause=self._turns.pass_time):
            if step.name:
                done.setdefault(step.action, set()).add(step.tag or step.digest)
        return done

    def stands(self, document: Document) -> bool:
        """Whether its link is where it belongs; nobody has looked at the manifest."""
        return self.driver.exists(paths.link(paths.revision("a", document.digest)))


@pytest.fixture
def kept(driver: StorageDriver, turns: Turns, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(collecting, "time", turns)  # a dry run goes by the clock of its machine
    return Store(driver, turns)


def test_an_untagged_manifest_goes_with_its_blobs(kept: Store) -> None:
    old = push_image(kept.registry, "a", b"old", tags=["v1"])
    new = push_image(kept.registry, "a", b"new", tags=["v1"])
    assert kept.collect(days=0.5) == {"keep": {old.digest}}
    assert kept.collect() == {"quarantine": {old.digest}}
    assert not kept.stands(old)
    assert kept.collect(days=0.5) == {"wait": {old.digest}}
    assert kept.collect() == {"delete": {old.digest}}
    for _ in range(2):
        assert kept.collect() == {}
    with pytest.raises(ManifestUnknown):
        kept.registry.get_manifest("a", old.digest)
    assert not kept.driver.exists(paths.blob_data(old.digest))
    assert not kept.driver.exists(paths.blob_data(Digest.of(b"old")))
    assert kept.registry.get_manifest("a", "v1").digest == new.digest
    assert read_blob(kept.registry, "a", Digest.of(b"new")) == b"new"
    assert not [path for path in files(kept.driver) if "/repositories/" in path and "/quarantine/" in path]


def test_what_is_in_quarantine_is_found_and_restored_by_a_look(kept: Store) -> None:
    old = push_image(kept.registry, "a", b"old")
    kept.collect()
    read_only = StorageRegistry(kept.driver, save_referrers=False)
    assert read_only.get_manifest("a", old.digest).content == old.content
    assert not kept.stands(old)
    assert kept.registry.get_manifest("a", old.digest).content == old.content
    assert kept.stands(old)
    assert kept.collect(days=0.5) == {"keep": {old.digest}}
    for _ in range(3):
        assert kept.collect(Retention()) == {}
    assert read_blob(kept.registry, "a", Digest.of(b"old")) == b"old"


@pytest.mark.parametrize("by", ["index", "subject"])
def test_what_a_push_names_is_looked_at_though_it_need_not_exist(kept: Store, by: str) -> None:
    old = push_image(kept.registry, "a", b"old")
    kept.collect()
    assert not kept.stands(old)
    registry = ValidatingRegistry(kept.registry, validation.Policy(indexes=False))
    push(registry, "a", index(old) if by == "index" else image(b"old", subject=old))
    assert kept.stands(old)


def test_what_was_deleted_does_not_come_back(kept: Store) -> None:
    old = push_image(kept.registry, "a", b"old")
    kept.collect()
    kept.registry.delete_manifest("a", old.digest)
    for _ in range(2):
        with pytest.raises(ManifestUnknown):
            kept.registry.get_manifest("a", old.digest)
    with pytest.raises(ManifestUnknown):
        kept.registry.delete_manifest("a", old.digest)
    assert [step for step in undo(kept.driver) if step.name] == []


def test_what_is_tagged_again_without_a_look_is_restored(kept: Store) -> None:
    """As by a stock server, which writes both links; the one in quarantine is only dropped then."""
    old = push_image(kept.registry, "a", b"old")
    kept.collect()
    kept.driver.put_content(paths.tag_current("a", "v1"), old.digest.encode())
    assert kept.collect() == {"restore": {old.digest}}
    assert kept.stands(old)
    assert kept.collect(days=3) == {}
    assert kept.registry.get_manifest("a", "v1").content == old.content


def test_indexes_and_referrers_are_kept_whole(kept: Store) -> None:
    registry = kept.registry
    child = push_image(registry, "a", b"one")
    inner = index(child)
    outer = index(inner)
    signature = image(b"one", subject=outer, artifact_type="a/signature")
    attestation = image(b"one", subject=signature, artifact_type="a/attestation")
    cosigned = image(b"one", annotations={"a": "signature"})
    for document in (inner, signature, attestation):
        push(registry, "a", document)
    push(registry, "a", outer, "v1")
    push(registry, "a", cosigned, f"{referrers_tag(child.digest)}.sig")
    assert kept.collect() == {}
    registry.delete_tag("a", "v1")
    everything = {each.digest for each in (child, inner, outer, signature, attestation, cosigned)}
    assert kept.collect() == {"quarantine": everything}
    push(registry, "a", outer, "v2")
    assert kept.collect(days=0.1) == {"restore": everything - {outer.digest}}
    assert kept.collect(days=3) == {}
    registry.delete_tag("a", "v2")
    assert kept.collect() == {"quarantine": everything}
    assert kept.collect() == {"untag": {f"{referrers_tag(child.digest)}.sig"}, "delete": everything}
    assert not kept.driver.exists(paths.tag_current("a", f"{referrers_tag(child.digest)}.sig"))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_signatures_of_what_is_elsewhere_stay(kept: Store, algorithm: str) -> None:
    """cosign's COSIGN_REPOSITORY keeps them in a repository without images."""
    elsewhere = image(b"elsewhere", algorithm=algorithm)
    referrer = image(b"one", subject=elsewhere, artifact_type="a/signature")
    push_image(kept.registry, "a", b"one", tags=["v1"])
    push(kept.registry, "a", referrer)
    tag = f"{referrers_tag(elsewhere.digest)}.sig"
    signature = push_image(kept.registry, "a", b"signature", tags=[tag])
    assert kept.collect() == {}
    assert kept.collect(Retention((Policy(untagged=True, referrers=True),))) == {
        "untag": {tag},
        "quarantine": {referrer.digest, signature.digest},
    }


def test_referrers_of_what_is_gone_go_though_what_is_untagged_stays(kept: Store) -> None:
    elsewhere = image(b"elsewhere")
    untagged = push_image(kept.registry, "a", b"one")
    referrer = image(b"one", subject=elsewhere, artifact_type="a/signature")
    attestation = image(b"one", subject=referrer, artifact_type="a/attestation")
    signature = image(b"one", subject=untagged, artifact_type="a/signature")
    wanted = image(b"one", subject=elsewhere, artifact_type="a/report")
    for document in (referrer, attestation, signature):
        push(kept.registry, "a", document)
    push(kept.registry, "a", wanted, "report")
    tag = f"{referrers_tag(elsewhere.digest)}.sig"
    cosigned = push_image(kept.registry, "a", b"signature", tags=[tag])
    policies = Retention((Policy(referrers=True),))
    gone = {referrer.digest, attestation.digest, cosigned.digest}
    assert kept.collect(policies) == {"untag": {tag}, "quarantine": gone}
    assert kept.collect(policies) == {"delete": gone}
    assert all(map(kept.stands, (untagged, signature, wanted)))


def test_everything_comes_back(kept: Store) -> None:
    image_of_v1 = push_image(kept.registry, "a", b"one", tags=["v1"])
    untagged = push_image(kept.registry, "a", b"two")
    assert kept.collect(Retention((Policy(untagged=True, rules=(TagRule(pushed_last=0),)),))) == {
        "untag": {"v1"},
        "quarantine": {image_of_v1.digest, untagged.digest},
    }
    with pytest.raises(ManifestUnknown):
        kept.registry.resolve_manifest("a", "v1")
    restored = {(step.action, step.tag or step.digest) for step in undo(kept.driver) if step.name}
    assert restored == {("restore", "v1"), ("restore", image_of_v1.digest), ("restore", untagged.digest)}
    assert kept.stands(untagged)
    assert kept.registry.get_manifest("a", "v1").content == image_of_v1.content
    kept.registry.delete_tag("a", "v1")
    assert list(undo(kept.driver)) == []


@pytest.mark.parametrize("runs", ["0123456789abcdef", "fedcba9876543210"])
def test_a_tag_comes_back_as_it_was_removed_last(
    kept: Store, turns: Turns, monkeypatch: pytest.MonkeyPatch, runs: str
) -> None:
    names = iter(runs)

    def begin(quarantine: Quarantine) -> str:
        run = next(names) * 16
        quarantine.write(run, BEGUN)
        return run

    monkeypatch.setattr(Quarantine, "begin", begin)
    for content in (b"one", b"two", b"three"):
        last = push_image(kept.registry, "a", content, tags=["v1"])
        turns.pass_time(HOUR)
        assert kept.run(rules(last=0), apply=True) == {"untag": {"v1"}}
    assert [step.tag for step in undo(kept.driver) if step.name] == ["v1"]
    assert kept.registry.get_manifest("a", "v1").digest == last.digest
    kept.registry.delete_tag("a", "v1")
    assert list(undo(kept.driver)) == []


def test_a_tag_does_not_come_back_without_its_manifest(kept: Store) -> None:
    document = push_image(kept.registry, "a", b"one", tags=["v1"])
    assert kept.collect(rules(last=0)) == {"untag": {"v1"}}
    kept.registry.delete_manifest("a", document.digest)
    assert list(undo(kept.driver)) == []
    assert not kept.driver.exists(paths.tag("a", "v1"))
    push(kept.registry, "a", document)
    assert list(undo(kept.driver)) == []


def rules(**options: float) -> Retention:
    rule = TagRule(
        pushed_last=int(options["last"]) if "last" in options else None, pushed_within=options.get("within")
    )
    return Retention((Policy(rules=(rule,)),))


def test_an_untagged_manifest_stays_for_the_delay(kept: Store, turns: Turns) -> None:
    old = push_image(kept.registry, "a", b"old", tags=["v1"])
    push_image(kept.registry, "a", b"new", tags=["v1"])
    later = UNTAGGED._replace(delay=3 * DAY)
    assert kept.collect(later, days=2.9) == {"keep": {old.digest}}
    assert kept.collect(later, days=0.2) == {"quarantine": {old.digest}}


def test_tags_go_by_their_number_and_by_their_age(kept: Store, turns: Turns) -> None:
    for number in range(4):
        document = push_image(kept.registry, "a", b"%d" % number, tags=[f"v{number}"])
        turns.pass_time(DAY)
    signed = f"{referrers_tag(document.digest)}.sig"
    push_image(kept.registry, "a", b"signature", tags=[signed])
    assert kept.collect(rules(last=3, within=10 * DAY), days=0) == {}
    assert kept.collect(rules(last=3), days=0) == {"untag": {"v0"}}
    assert kept.collect(rules(within=2.5 * DAY), days=0) == {"untag": {"v1"}}
    assert kept.collect(rules(last=1, within=1.5 * DAY), days=0) == {"untag": {"v2"}}
    assert kept.registry.list_tags("a").items == [signed, "v3"]
    assert kept.registry.get_manifest("a", Digest.of(image(b"0").content)).content  # tags alone go


def test_the_first_rule_that_a_tag_matches_decides_and_shows(kept: Store, turns: Turns) -> None:
    for tag in ("v1", "v2", "latest", "dev-1"):
        push_image(kept.registry, "a", tag.encode(), tags=[tag])
    push_image(kept.registry, "b", b"b", tags=["dev-1"])
    policies = (
        Policy(
            (Pattern("a"),),
            rules=(
                TagRule((Pattern("^v"),), pushed_last=1, pushed_within=HOUR),
                TagRule((Pattern("late"),)),
            ),
        ),
        Policy(),
    )
    turns.pass_time(DAY)
    shown = [step for step in collect(kept.driver, retention=Retention(policies)) if step.name]
    assert [(step.action, step.tag, step.reason) for step in shown] == [
        ("untag", "dev-1", "matches no patterns of keepTags"),
        ("untag", "v2", "not among the 1 pushed last and not pushed within 1h, of ^v"),
    ]
    assert kept.collect(Retention(policies)) == {"untag": {"dev-1", "v2"}}


def test_a_tag_that_is_pushed_again_meanwhile_stays(kept: Store, turns: Turns) -> None:
    document = push_image(kept.registry, "a", b"one", tags=["v1", "v2"])
    turns.pass_time(DAY)
    steps = collect(kept.driver, retention=rules(last=0), apply=True)
    assert next(steps).tag == "v1"
    push(kept.registry, "a", document, "v2")
    assert [step.tag for step in steps if step.name] == []
    assert kept.registry.get_manifest("a", "v2").content == document.content


def test_nothing_goes_if_something_cannot_be_read(kept: Store, turns: Turns) -> None:
    push_image(kept.registry, "a", b"one", tags=["v1"])
    broken = push_image(kept.registry, "b", b"two")
    kept.driver.put_content(paths.blob_data(broken.digest), b"{}")
    before = files(kept.driver, paths.REPOSITORIES)
    turns.pass_time(2 * DAY)
    only_a = Retention((Policy((Pattern("a"),), True, rules=(TagRule(pushed_last=0),)),))
    with pytest.raises(StorageError, match="other content"):
        kept.collect(only_a)
    assert files(kept.driver, paths.REPOSITORIES) == before


def test_a_dry_run_of_policies_writes_nothing(kept: Store, turns: Turns) -> None:
    push_image(kept.registry, "a", b"one", tags=["v1"])
    push_image(kept.registry, "a", b"two")
    turns.pass_time(2 * DAY)
    before = files(kept.driver)
    everything = Retention((Policy(untagged=True, rules=(TagRule(pushed_last=0),)),), dry_run=True)
    assert kept.run(everything, apply=True)["untag"] == {"v1"}
    assert files(kept.driver) == before
