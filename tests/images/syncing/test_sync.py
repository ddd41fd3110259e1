"""Whole repositories from store to store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import ACCEPT, REJECT
from tests.images.sample import blobs_of, entries_of
from tests.images.syncing.conftest import open_store
from tests.images.unjudged import sync_images
from udist_plugin.errors import (
    BlobUnknown,
    ImageError,
    ImageUnknown,
    NameUnknown,
    ReferenceInvalid,
    Unsupported,
)
from udist_plugin.images.policy.names import image_at
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.syncing import sync
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import RegistryWrapper
from udist_plugin.wrappers.read_only import ReadOnlyRegistry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.images.syncing.conftest import Images, Store
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import ManifestContent


class Counting(RegistryWrapper):
    """Counts what is asked, by verb."""

    def __init__(self, inner: object) -> None:
        super().__init__(inner)  # type: ignore[arg-type]
        self.asked: list[str] = []

    def resolve_manifest(self, name: str, target: Digest | str) -> Descriptor:
        self.asked.append("resolve_manifest")
        return super().resolve_manifest(name, target)

    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        self.asked.append("get_manifest")
        return super().get_manifest(name, target)

    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        self.asked.append("resolve_blob")
        return super().resolve_blob(name, digest)


def test_a_repository_becomes_the_one_that_is_named(images: Images, here: Store, there: Store) -> None:
    one, two = images.add(here, "demo/app", "v1", "latest"), images.add_index(here, "demo/app", "v2")
    images.add(here, "team/other", "v1")
    result = sync_images(here.at("demo/app"), there.at("team/mirror"))
    assert there.tags("team/mirror") == {"latest": one, "v1": one, "v2": two}
    assert there.registry.list_repositories().items == ["team/mirror"]
    assert [synced.destination for synced in result.copied] == [
        there.at(f"team/mirror:{tag}") for tag in ("latest", "v1", "v2")
    ]
    assert (result.present, result.deleted, result.failed) == ([], [], [])
    for digest in blobs_of(images.layout.root):
        if digest not in (one, two):
            assert there.registry.has_blob("team/mirror", Digest(digest)) == here.registry.has_blob(
                "demo/app", Digest(digest)
            )


def test_all_repositories_keep_their_names(images: Images, here: Store, there: Store) -> None:
    one, two = images.add(here, "demo/app", "v1"), images.add(here, "team/web", "v1")
    sync_images(here.at(), there.at())
    sync_images(here.at(), there.at("my/mirror"))
    sync_images(here.at("team/web"), there.at())
    names = {"demo/app": one, "my/mirror/demo/app": one, "my/mirror/team/web": two, "team/web": two}
    assert there.registry.list_repositories().items == sorted(names)
    for name, digest in names.items():
        assert there.tags(name) == {"v1": digest}


def test_what_is_equal_costs_one_request_on_each_side(
    images: Images, here: Store, there: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        images.add(here, "team/app", f"v{number}")
    sync_images(here.at("team/app"), there.at("team/app"))
    moved = images.add(here, "team/app", "v3")
    sides = [Counting(store.registry) for store in (here, there)]
    for store, counting in zip((here, there), sides, strict=True):
        monkeypatch.setattr(store.transport, "registry", counting)
    result = sync_images(here.at("team/app"), there.at("team/app"))
    assert [synced.digest for synced in result.copied] == [moved]
    assert len(result.present) == 3
    assert sides[0].asked.count("resolve_manifest") == sides[1].asked.count("resolve_manifest") == 4
    assert sides[0].asked.count("get_manifest") == 1
    assert sides[1].asked.count("resolve_blob") == 3  # of the image that differs
    for counting in sides:
        counting.asked.clear()
    assert sync_images(here.at("team/app"), there.at("team/app")).copied == []
    assert sides[0].asked == sides[1].asked == ["resolve_manifest"] * 4


def test_patterns(images: Images, here: Store, there: Store) -> None:
    images.add(here, "team/app", "v1.0", "v1.1", "v1.1-rc1", "v2.0", "V1.2", "latest")
    sync_images(here.at("team/app"), there.at("team/app"), tags=["v1.*", "late?t"], without=["*-rc[0-9]"])
    assert list(there.tags("team/app")) == ["latest", "v1.0", "v1.1"]


def test_a_dry_run_changes_nothing(images: Images, here: Store, there: Store) -> None:
    images.add(here, "team/app", "v1")
    extra = images.add(there, "team/app", "old")
    result = sync_images(here.at("team/app"), there.at("team/app"), delete=True, referrers=True, dry_run=True)
    assert [synced.destination for synced in result.copied] == [there.at("team/app:v1")]
    assert result.size > 0
    assert result.deleted == [there.at("team/app:old")]
    assert there.tags("team/app") == {"old": extra}


def test_extras_are_deleted_only_when_asked(images: Images, here: Store, there: Store) -> None:
    one = images.add(here, "team/app", "v1")
    old = images.add(there, "team/app", "old", "older", "keep")
    sync_images(here.at("team/app"), there.at("team/app"))
    assert there.tags("team/app").keys() == {"keep", "old", "older", "v1"}
    result = sync_images(here.at("team/app"), there.at("team/app"), tags=["v*", "old*"], delete=True)
    assert result.deleted == [there.at("team/app:old"), there.at("team/app:older")]
    assert there.tags("team/app") == {"keep": old, "v1": one}


def test_an_empty_list_deletes_only_by_force(images: Images, here: Store, there: Store) -> None:
    images.add(here, "team/app", "v1")
    here.registry.delete_tag("team/app", "v1")
    kept = images.add(there, "team/app", "v1")
    gone = images.add(there, "team/gone", "v1")
    for place in ("team/app", ""):
        result = sync_images(here.at(place), there.at(place), delete=True)
        assert {failure.reference for failure in result.failed} == (
            {"team/app"} if place else {"team/app", "team/gone"}
        )
        for failure in result.failed:
            assert isinstance(failure.error, ImageError)
            assert "use --force" in str(failure.error)
    assert (there.tags("team/app"), there.tags("team/gone")) == ({"v1": kept}, {"v1": gone})
    result = sync_images(here.at(), there.at(), delete=True, force=True)
    assert result.deleted == [there.at("team/app:v1"), there.at("team/gone:v1")]
    assert (there.tags("team/app"), there.tags("team/gone")) == ({}, {})


def test_one_failure_does_not_stop_the_rest(images: Images, here: Store, there: Store) -> None:
    """Nor is anything deleted where something failed; the next sync finishes."""
    images.add(here, "team/app", "v1")
    bad, good = images.add(here, "team/app", "v2"), images.add(here, "team/app", "v3")
    images.add(there, "team/app", "extra")
    manifest = here.registry.get_manifest("team/app", "v2").content
    layer = Digest(next(d for d in blobs_of(images.layout.root) if d in manifest.decode() and d != bad))
    data = here.root / f"docker/registry/v2/blobs/sha256/{layer.hex[:2]}/{layer.hex}/data"
    content = data.read_bytes()
    data.write_bytes(content[:-1] + b"?")
    result = sync_images(here.at("team/app"), there.at("team/app"), delete=True)
    assert [failure.reference for failure in result.failed] == [here.at("team/app:v2")]
    assert here.at("team/app:v2") in "".join(result.failed[0].error.__notes__)
    assert result.deleted == []
    assert there.tags("team/app").keys() == {"extra", "v1", "v3"}
    data.write_bytes(content)
    result = sync_images(here.at("team/app"), there.at("team/app"), delete=True)
    assert [synced.digest for synced in result.copied] == [bad]
    assert there.tags("team/app").items() >= {"v2": bad, "v3": good}.items()
    assert there.tags("team/app").keys() == {"v1", "v2", "v3"}


def test_a_repository_that_is_not_there(images: Images, here: Store, there: Store) -> None:
    images.add(there, "team/app", "v1")
    result = sync_images(here.at("team/app"), there.at("team/app"), delete=True, force=True)
    assert isinstance(result.failed[0].error, NameUnknown)
    assert there.tags("team/app").keys() == {"v1"}
    with pytest.raises(ImageUnknown, match="no OCI layout"):
        sync_images("oci:/nowhere", there.at("team/app"))


def test_a_repository_that_vanishes_meanwhile(
    images: Images, here: Store, there: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    images.add(here, "team/app", "v1")
    images.add(here, "team/web", "v1")

    class Vanishing(RegistryWrapper):
        def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
            if name == "team/app":
                raise NameUnknown({"name": name})
            return super().get_manifest(name, target)

    monkeypatch.setattr(here.transport, "registry", Vanishing(here.registry))
    result = sync_images(here.at(), there.at())
    assert [failure.reference for failure in result.failed] == [here.at("team/app:v1")]
    assert there.registry.list_repositories().items == ["team/web"]


def test_referrers_come_along(images: Images, here: Store, there: Store) -> None:
    """Of an image, of a manifest within an index, and of a referrer; also where the tag was there before."""
    one, index = images.add(here, "team/app", "v1"), images.add_index(here, "team/app", "v2")
    child = (
        here.registry.get_manifest("team/app", "v2").content.decode().split('"digest": "')[1].split('"')[0]
    )
    sync_images(here.at("team/app"), there.at("team/app"))
    signature, report = images.attach(here, "team/app", one), images.attach(here, "team/app", child)
    about = images.attach(here, "team/app", report)
    images.attach(here, "team/web", images.add(here, "team/web", "v1"))
    result = sync_images(here.at("team/app"), there.at("team/app"), referrers=True)
    assert {synced.digest for synced in result.copied} == {signature, report, about}
    for subject, referrer in {one: signature, child: report, report: about}.items():
        found = there.registry.list_referrers("team/app", Digest(subject)).items
        assert [each.digest for each in found] == [referrer]
    assert there.tags("team/app") == {"v1": one, "v2": index}
    assert sync_images(here.at("team/app"), there.at("team/app"), referrers=True).copied == []


def test_what_cosign_keeps_at_tags_comes_with_its_image(images: Images, here: Store, there: Store) -> None:
    one = images.add(here, "team/app", "v1")
    tag = f"{one.replace(':', '-')}.sig"
    signature = images.add(here, "team/app", tag)
    result = sync_images(here.at("team/app"), there.at("team/app"), tags=["v*"], referrers=True)
    assert {synced.digest for synced in result.copied} == {one, signature}
    assert there.tags("team/app") == {"v1": one, tag: signature}
    moved = images.add(here, "team/app", tag)
    sync_images(here.at("team/app"), there.at("team/app"), tags=["v*"], referrers=True)
    assert there.tags("team/app") == {"v1": one, tag: moved}


def test_a_referrer_that_is_an_image_is_judged(images: Images, here: Store, there: Store) -> None:
    one = images.add(here, "team/app", "v1")
    other, note = images.attach_image(here, "team/app", one), images.attach(here, "team/app", one)
    image = image_at(here.transport.name, "//team/app:v1")
    policy = Policy.parse(
        json.dumps(
            {
                "default": [REJECT],
                "transports": {here.transport.name: {image.identity: [ACCEPT]}},
            }
        ).encode()
    )
    result = sync.sync_images(here.at("team/app"), there.at("team/app"), policy=policy, referrers=True)
    assert {synced.digest for synced in result.copied} == {one, note}
    assert [failure.reference for failure in result.failed] == [here.at(f"team/app@{other}")]


def test_a_referrer_that_is_spoiled_hides_no_other(
    images: Images, here: Store, there: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = images.add(here, "team/app", "v1")
    spoiled, good = (Digest(images.attach(here, "team/app", one)) for _ in range(2))

    class Spoiled(RegistryWrapper):
        def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
            found = super().get_manifest(name, target)
            return found._replace(content=b"{}") if target == spoiled else found

    monkeypatch.setattr(here.transport, "registry", Spoiled(here.registry))
    result = sync_images(here.at("team/app"), there.at("team/app"), referrers=True)
    assert {synced.digest for synced in result.copied} == {one, good}
    assert [failure.reference for failure in result.failed] == [here.at(f"team/app@{spoiled}")]


def test_tags_that_a_registry_keeps_for_referrers_are_no_extras(
    images: Images, here: Store, tmp_path: Path
) -> None:
    one = images.add(here, "team/app", "v1", "v2")
    images.attach(here, "team/app", one)
    other = images.add(here, "team/app", "v3")
    images.attach(here, "team/app", other)
    with open_store(tmp_path / "third", tags=True) as third:
        sync_images(here.at("team/app"), third.at("team/app"), referrers=True)
        kept, extra = (digest.replace(":", "-") for digest in (one, other))
        assert third.tags("team/app").keys() == {"v1", "v2", "v3", kept, extra}
        here.registry.delete_tag("team/app", "v2")
        third.registry.delete_manifest("team/app", Digest(other))
        here.registry.delete_tag("team/app", "v3")
        result = sync_images(here.at("team/app"), third.at("team/app"), referrers=True, delete=True)
        assert result.deleted == [third.at(f"team/app:{extra}"), third.at("team/app:v2")]
        assert third.tags("team/app").keys() == {"v1", kept}


def test_to_a_layout_and_back(images: Images, here: Store, there: Store, tmp_path: Path) -> None:
    one, two = images.add(here, "demo/app", "v1", "_odd"), images.add(here, "team/web", "v1")
    signature = images.attach(here, "demo/app", one)
    folder = tmp_path / "folder"
    sync_images(here.at("demo/app"), f"oci:{folder}", referrers=True)
    assert sorted(entries_of(folder), key=str) == [("_odd", one), ("v1", one), (None, signature)]
    sync_images(f"oci:{folder}", there.at("team/again"), referrers=True)
    assert there.tags("team/again") == {"_odd": one, "v1": one}
    assert len(there.registry.list_referrers("team/again", Digest(one)).items) == 1
    sync_images(here.at(), f"oci:{folder}2")
    assert sorted(entries_of(tmp_path / "folder2")) == [
        ("demo/app:_odd", one),
        ("demo/app:v1", one),
        ("team/web:v1", two),
    ]
    sync_images(f"oci:{folder}2", there.at())
    assert there.tags("demo/app").keys() == {"_odd", "v1"}
    assert there.tags("team/web") == {"v1": two}
    here.registry.delete_tag("demo/app", "_odd")
    sync_images(here.at("demo/app"), f"oci:{folder}", delete=True)
    assert sorted(entries_of(folder), key=str) == [("v1", one), (None, signature)]


def test_places_that_do_not_fit(images: Images, here: Store, there: Store, tmp_path: Path) -> None:
    images.add(here, "team/app", "v1")
    sync_images(here.at("team/app"), f"oci:{tmp_path / 'folder'}")
    for source, destination, problem in [
        (f"oci:{tmp_path / 'folder'}", there.at(), "has no name; give the destination one"),
        (here.at("team/app:v1"), there.at(), "names an image"),
        ("oci:folder:v1", there.at("team/app"), "names one image"),
        ("docker://localhost/app:v1", there.at("team/app"), "names an image"),
        ("docker-archive:file", there.at("team/app"), "no repositories"),
        ("nothing:at all", there.at("team/app"), "there is no transport 'nothing'"),
    ]:
        with pytest.raises(ReferenceInvalid, match=problem):
            sync_images(source, destination)


def test_a_read_only_destination(
    images: Images, here: Store, there: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    images.add(here, "team/app", "v1", "v2")
    monkeypatch.setattr(there.transport, "registry", ReadOnlyRegistry(there.registry))
    result = sync_images(here.at("team/app"), there.at("team/app"))
    assert [type(failure.error) for failure in result.failed] == [Unsupported, Unsupported]
    assert there.registry.list_repositories().items == []


def test_two_names_of_one_layout_are_never_guessed(images: Images, there: Store, tmp_path: Path) -> None:
    one, two = (images.layout.image(listed=False, layers=[content]) for content in (b"1", b"2"))
    images.layout.add(one, "v1")
    images.layout.add(two, "v1")
    images.layout.add(one, "v2")
    result = sync_images(f"oci:{images.layout.root}", there.at("team/app"))
    assert [failure.reference for failure in result.failed] == [f"oci:{images.layout.root}:v1"]
    assert one["digest"] in str(result.failed[0].error)
    assert two["digest"] in str(result.failed[0].error)
    assert there.tags("team/app") == {"v2": one["digest"]}


def test_a_spoiled_layout(images: Images, there: Store) -> None:
    image = images.layout.image("v1", layers=[b"1"])
    manifest = images.layout.path(image["digest"])
    manifest.write_bytes(manifest.read_bytes() + b" ")
    good = images.layout.image("v2", layers=[b"2"])
    layer = images.layout.image("v3", layers=[b"3"])
    for digest in blobs_in(images, layer["digest"]):
        images.layout.path(digest).unlink()
    result = sync_images(f"oci:{images.layout.root}", there.at("team/app"), referrers=True)
    assert {failure.reference.rpartition(":")[2] for failure in result.failed} == {"v1", "v3"}
    assert any(isinstance(failure.error, BlobUnknown) for failure in result.failed)
    assert there.tags("team/app") == {"v2": good["digest"]}


def blobs_in(images: Images, digest: str) -> list[str]:
    import json

    document = json.loads(images.layout.path(digest).read_bytes())
    return [layer["digest"] for layer in document["layers"]]
