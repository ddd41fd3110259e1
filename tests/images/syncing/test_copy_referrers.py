"""``copy_image`` with ``referrers``: what refers to an image goes where the image goes."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import sigstore
from tests.images.sample import entries_of
from tests.images.signatures.conftest import KeyPair, make_key
from tests.images.unjudged import copy_image
from tests.remote.loopback import stock_registry
from tests.storage.signatures.signer import BUNDLE, OFFLINE, TAG, Format
from tests.tools import require_tool, run_tool
from udist_plugin.errors import DigestChanged, ImageError, NameUnknown, PolicyRejected, Unsupported
from udist_plugin.images.copying import copy
from udist_plugin.images.platforms import Platform
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.signatures.signing import sign_image
from udist_plugin.images.signatures.verifying import verify_image
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import RegistryWrapper

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.images.syncing.conftest import Images, Store
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.manifest import Manifest

APP = "team/app"


@pytest.fixture(params=["docker-registry", "registry"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A stock registry, which has no API for referrers: its address."""
    with stock_registry(tmp_path / "stock", request.param) as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[KeyPair]:
    return [make_key(tmp_path_factory.mktemp("key")) for _ in range(2)]


def referrers(store: Store, subject: str) -> set[str]:
    return {each.digest for each in store.registry.list_referrers(APP, Digest(subject)).items}


def children(store: Store, tag: str) -> list[str]:
    found = json.loads(store.registry.get_manifest(APP, tag).content)
    return [entry["digest"] for entry in found["manifests"]]


def test_all_that_refers_to_an_image_and_to_that(images: Images, here: Store, there: Store) -> None:
    index = images.add_index(here, APP, "v1")
    child = children(here, "v1")[1]
    report, signature = images.attach(here, APP, index), images.attach(here, APP, child)
    about = images.attach(here, APP, report)
    images.attach(here, APP, images.add(here, APP, "other"))
    copied = copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), referrers=True)
    assert {each.digest for each in copied.referrers} == {report, signature, about}
    assert {each.artifact_type for each in copied.referrers} == {"text/plain"}
    assert (referrers(there, index), referrers(there, child)) == ({report}, {signature})
    assert referrers(there, report) == {about}
    assert there.tags(APP) == {"v1": index}
    again = copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), referrers=True)
    assert (again.moved, len(again.referrers)) == ([], 3)


def test_nothing_of_it_unless_asked(images: Images, here: Store, there: Store) -> None:
    image = images.add(here, APP, "v1")
    images.attach(here, APP, image)
    assert copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1")).referrers == []
    assert referrers(there, image) == set()


def test_a_dry_run_tells_and_writes_nothing(images: Images, here: Store, there: Store) -> None:
    referrer = images.attach(here, APP, images.add(here, APP, "v1"))
    told = copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), referrers=True, dry_run=True)
    assert [each.digest for each in told.referrers] == [referrer]
    assert len(told.moved) == 5  # a configuration and two layers, and those of the referrer
    assert there.registry.list_repositories().items == []


def test_of_a_chosen_platform_its_own_alone(images: Images, here: Store, there: Store) -> None:
    index = images.add_index(here, APP, "v1")
    amd64, arm64 = children(here, "v1")
    wanted = images.attach(here, APP, arm64)
    for other in (index, amd64):
        images.attach(here, APP, other)
    copied = copy_image(
        here.at(f"{APP}:v1"),
        there.at(f"{APP}:v1"),
        platforms=[Platform.parse("linux/arm64")],
        referrers=True,
    )
    assert [each.digest for each in copied.referrers] == [wanted]
    assert referrers(there, arm64) == {wanted}


def test_where_there_is_no_api_and_back(
    images: Images, here: Store, there: Store, registry: str, tmp_path: Path
) -> None:
    """The index at the tag is made, and added to; from there into a layout, and into a store."""
    image = images.add(here, APP, "v1")
    place, folder = f"docker://{registry}/{APP}:v1", f"oci:{tmp_path / 'out'}"
    first = images.attach(here, APP, image)
    about = images.attach(here, APP, first)
    copy_image(here.at(f"{APP}:v1"), place, referrers=True)
    second = images.attach(here, APP, image)
    copy_image(here.at(f"{APP}:v1"), place, referrers=True)
    copied = copy_image(place, f"{folder}:v1", referrers=True)
    assert {each.digest for each in copied.referrers} == {first, second, about}
    assert set(entries_of(tmp_path / "out")) == {
        ("v1", image),
        (None, first),
        (None, second),
        (None, about),
    }
    copy_image(f"{folder}:v1", there.at(f"{APP}:v1"), referrers=True)
    assert (referrers(there, image), referrers(there, first)) == ({first, second}, {about})


@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_an_image_without_a_name_is_still_the_only_one(
    images: Images, here: Store, there: Store, tmp_path: Path, kind: str, pairs: list[KeyPair]
) -> None:
    image = images.add(here, APP, "v1")
    signed = sign_image(here.registry, APP, "v1", pairs[0].signer(), "a:v1")
    place = f"{kind}:{tmp_path / 'out'}"
    copy_image(here.at(f"{APP}:v1"), place, referrers=True)
    copied = copy_image(place, there.at(f"{APP}:v1"), referrers=True)
    assert copied.descriptor.digest == image
    assert there.tags(APP) == here.tags(APP)
    assert there.tags(APP).keys() == {"v1", signed.tag}
    assert len(verify_image(there.registry, APP, "v1", [pairs[0].verifier()])) == 2


def test_signatures_at_both_places_are_joined(
    images: Images, here: Store, there: Store, pairs: list[KeyPair]
) -> None:
    images.add(here, APP, "v1")
    copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"))
    for store, pair in zip((here, there), pairs, strict=True):
        sign_image(store.registry, APP, "v1", pair.signer(), "a:v1")
    for _ in range(2):
        copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), referrers=True)
    for pair in pairs:
        found = verify_image(there.registry, APP, "v1", [pair.verifier()])
        assert [":" in each.place for each in found] == [False, True]


@pytest.mark.parametrize("ending", [".sig", ".att", ".sbom"])
def test_what_cosign_keeps_at_tags(images: Images, here: Store, there: Store, ending: str) -> None:
    """And what it keeps for that: it signs bills of materials."""
    image = images.add(here, APP, "v1")
    first, second = (images.layout.image(layers=[each], listed=False) for each in (b"a", b"b"))
    tags = []
    for subject, attached in ((image, first), (first["digest"], second)):
        tags.append(f"{subject.replace(':', '-')}{ending}")
        copy_image(f"oci:{images.layout.root}:{put(images, attached)}", here.at(f"{APP}:{tags[-1]}"))
    copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), referrers=True)
    assert there.tags(APP) == {"v1": image, tags[0]: first["digest"], tags[1]: second["digest"]}


def put(images: Images, descriptor: dict[str, object]) -> str:
    images.layout.add(descriptor, None)
    return f"@{descriptor['digest']}"


def judged(policy: str, here: Store, there: Store) -> copy.CopyResult:
    return copy.copy_image(
        here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), policy=Policy.parse(policy.encode()), referrers=True
    )


def test_a_policy_judges_no_signature_but_images_that_refer_to_the_image(
    images: Images, here: Store, there: Store, pairs: list[KeyPair]
) -> None:
    image = images.add(here, APP, "v1")
    sign_image(here.registry, APP, "v1", pairs[0].signer(), f"localhost/{APP}:v1")
    policy = sigstore(
        keyPath=str(pairs[0].public),
        signedIdentity={"type": "exactRepository", "dockerRepository": f"localhost/{APP}"},
    )
    assert len(judged(policy, here, there).referrers) == 2
    there.registry.delete_manifest(APP, Digest(image))
    images.attach_image(here, APP, image)
    with pytest.raises(PolicyRejected, match=f"{APP}@sha256:"):
        judged(policy, here, there)
    assert "v1" not in there.tags(APP)


@pytest.mark.parametrize("place", ["dir", "docker-archive"])
def test_places_that_keep_none(images: Images, here: Store, tmp_path: Path, place: str) -> None:
    images.add(here, APP, "v1")
    with pytest.raises(ImageError, match="the destination keeps no referrers"):
        copy_image(here.at(f"{APP}:v1"), f"{place}:{tmp_path / 'out'}", referrers=True)
    assert not (tmp_path / "out").exists()


def test_what_refers_to_an_image_does_not_refer_to_another_format(
    images: Images, here: Store, there: Store
) -> None:
    images.attach(here, APP, images.add(here, APP, "v1"))
    with pytest.raises(DigestChanged, match="than its referrers refer to"):
        copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), referrers=True, image_format="docker")
    assert there.registry.list_repositories().items == []


def test_an_image_has_no_name_before_what_refers_to_it_is_there(
    images: Images, here: Store, there: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    referrer = images.attach(here, APP, images.add(here, APP, "v1"))

    class Refusing(RegistryWrapper):
        def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
            if manifest.digest == referrer:
                raise Unsupported({}, "no referrers, please")
            return super().push_manifest(name, manifest, tags)

    with monkeypatch.context() as patched:
        patched.setattr(there.transport, "registry", Refusing(there.registry))
        with pytest.raises(Unsupported, match="no referrers, please"):
            copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), referrers=True)
    with pytest.raises(NameUnknown):
        there.tags(APP)
    copy_image(here.at(f"{APP}:v1"), there.at(f"{APP}:v1"), referrers=True)
    assert there.tags(APP).keys() == {"v1"}


def test_oras_finds_what_we_copy_and_we_what_oras_attached(
    images: Images, here: Store, there: Store, registry: str, tmp_path: Path
) -> None:
    image = images.add(here, APP, "v1")
    ours, theirs = f"{registry}/our/app", f"{registry}/their/app"
    copy_image(here.at(f"{APP}:v1"), f"docker://{theirs}:v1")
    (tmp_path / "notes").write_text("text")
    words = ("oras", "attach", "--plain-http", "--no-tty", "--artifact-type", "text/plain")
    run_tool(*words, f"{theirs}:v1", "notes", cwd=tmp_path, timeout=60)
    copied = copy_image(f"docker://{theirs}:v1", f"docker://{ours}:v1", referrers=True)
    tree = run_tool(
        *("oras", "discover", "--plain-http", "--format", "json", f"{ours}:v1"), cwd=tmp_path, timeout=60
    )
    found = json.loads(tree)["referrers"]
    assert [each["digest"] for each in found] == [each.digest for each in copied.referrers]
    assert found[0]["artifactType"] == "text/plain"
    copy_image(f"docker://{ours}:v1", there.at(f"{APP}:v1"), referrers=True)
    assert referrers(there, image) == {found[0]["digest"]}


@pytest.mark.parametrize("form", [BUNDLE, TAG], ids=["bundle", "tag"])
def test_cosign_verifies_what_we_copied(
    images: Images, here: Store, registry: str, pairs: list[KeyPair], form: Format, tmp_path: Path
) -> None:
    """By way of a layout. Its bundle is a referrer, its older form is at a tag."""
    image = images.add(here, APP, "v1")
    theirs, ours, layout = f"{registry}/their/app", f"{registry}/our/app", f"oci:{tmp_path / 'out'}:v1"
    copy_image(here.at(f"{APP}:v1"), f"docker://{theirs}:v1")
    cosign("sign", "--key", str(pairs[0].private), *form.sign, f"{theirs}@{image}")
    copy_image(f"docker://{theirs}:v1", layout, referrers=True)
    copy_image(layout, f"docker://{ours}:v1", referrers=True)
    assert cosign("verify", "--key", str(pairs[0].public), f"{ours}:v1") == "verified: 1\n"


def cosign(*words: str) -> str:
    done = subprocess.run(
        [require_tool("keycosign"), *words],
        env={**os.environ, **OFFLINE, "COSIGN_PASSWORD": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
