"""What udist signs, cosign's own packages and containers/image verify, and the other way round."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import identity as policy_with
from tests.images.policy.judge import Question, ask
from tests.images.signatures.attaching import NAME, attach, tag_of
from tests.images.signatures.conftest import Image, KeyPair, base64_of, make_key
from tests.storage.signatures.signer import BUNDLE, OFFLINE, REFERRER, TAG, Format
from tests.tools import require_tool
from udist_plugin.errors import NotSigned, PolicyRejected
from udist_plugin.images.policy.evaluating import check_image
from udist_plugin.images.policy.names import policy_image
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.signatures.attached import find_attached
from udist_plugin.images.signatures.keys import PrivateKey, PublicKey
from udist_plugin.images.signatures.signing import sign_image
from udist_plugin.images.signatures.verifying import verify_image
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest

if TYPE_CHECKING:
    from pathlib import Path

forms = pytest.mark.parametrize("form", [BUNDLE, TAG, REFERRER], ids=["bundle", "tag", "referrer"])


def cosign(*words: str, password: str = "") -> str:
    """Runs cosign's packages; what they say on standard error."""
    done = subprocess.run(
        [require_tool("keycosign"), *words],
        env={**os.environ, **OFFLINE, "COSIGN_PASSWORD": password, "COSIGN_EXPERIMENTAL": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cosign_signs(image: Image, pair: KeyPair, form: Format) -> None:
    cosign("sign", "--key", str(pair.private), *form.sign, image.by_digest)


def verified(image: Image, pair: KeyPair) -> list[str | None]:
    """The names in the good signatures."""
    return [each.reference for each in verify_image(image.registry, NAME, "v1", [pair.verifier()])]


@forms
def test_what_cosign_signs_udist_verifies(form: Format, image: Image, pair: KeyPair, other: KeyPair) -> None:
    """For Ed25519 cosign signs with Ed25519ph."""
    cosign_signs(image, pair, form)
    assert verified(image, pair) == [None if form == BUNDLE else image.name]
    with pytest.raises(NotSigned, match="not made by the key"):
        verified(image, other)


@pytest.mark.parametrize("form", [BUNDLE, TAG], ids=["bundle", "tag"])
def test_what_udist_signs_cosign_verifies(form: Format, image: Image, pair: KeyPair) -> None:
    """cosign looks at the tag only if there is no bundle."""
    signed = sign_image(image.registry, NAME, "v1", pair.signer(), f"{image.name}:v1")
    if form == TAG:
        image.registry.delete_manifest(NAME, signed.referrer)
    assert cosign("verify", "--key", str(pair.public), f"{image.name}:v1") == "verified: 1\n"


def test_signatures_at_the_tag_by_all_three_stand_beside_each_other(
    image: Image, other: KeyPair, tmp_path: Path
) -> None:
    pairs = {name: make_key(tmp_path / name) for name in ("cosign", "library")}
    sign_image(image.registry, NAME, "v1", other.signer(), f"{image.name}:v1")
    cosign_signs(image, pairs["cosign"], TAG)
    library_signs(image, pairs["library"], f"{image.name}:v1")
    for pair in (other, *pairs.values()):
        sign_image(image.registry, NAME, "v1", pair.signer(), f"{image.name}:v2")
    for pair in (other, *pairs.values()):
        assert f"{image.name}:v2" in verified(image, pair)
        cosign("verify", "--key", str(pair.public), f"{image.name}:v1")
    assert f"{image.name}:v1" in verified(image, other)
    assert image.name in verified(image, pairs["cosign"])
    assert f"{image.name}:v1" in verified(image, pairs["library"])


def test_a_bundle_by_another_hides_a_signature_from_cosign_and_not_from_udist(
    image: Image, pair: KeyPair, other: KeyPair
) -> None:
    cosign_signs(image, pair, TAG)
    cosign_signs(image, other, BUNDLE)
    attach(image, b"{}")
    with pytest.raises(AssertionError, match="no matching attestations"):
        cosign("verify", "--key", str(pair.public), f"{image.name}:v1")
    assert verified(image, pair) == [image.name]
    sign_image(image.registry, NAME, "v1", pair.signer(), f"{image.name}:v1")
    cosign("verify", "--key", str(pair.public), f"{image.name}:v1")


def test_a_key_with_a_password_is_read_as_cosign_made_it(
    image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cosign("generate-key-pair", password="geheim, größer")
    key = PrivateKey.read("cosign.key", "geheim, größer".encode)
    sign_image(image.registry, NAME, "v1", key, "a:v1")
    assert len(verify_image(image.registry, NAME, "v1", [PublicKey.read("cosign.pub")])) == 2


def library_signs(image: Image, pair: KeyPair, identity: str) -> None:
    """Signs with containers/image."""
    words = [require_tool("policyjudge"), "sign", str(pair.private), f"{image.name}:v1", identity]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def judged(image: Image, policy: str, reference: str) -> bool:
    """Whether udist allows an image under a policy."""
    subject = policy_image(reference)
    assert subject.reference is not None
    name, target = subject.reference.path, subject.reference.digest or subject.reference.tag
    manifest = image.registry.get_manifest(name, str(target))
    try:
        check_image(
            Policy.parse(policy.encode()),
            subject,
            manifest.content,
            lambda: find_attached(image.registry, name, manifest.digest, manifest.content),
        )
    except PolicyRejected:
        return False
    return True


def test_containers_image_accepts_what_udist_signs(image: Image, pair: KeyPair, other: KeyPair) -> None:
    sign_image(image.registry, NAME, "v1", pair.signer(), f"{image.name}:v1")
    for key, accepted in ((pair, True), (other, False)):
        policy = with_key(key, {"type": "matchRepoDigestOrExact"})
        for reference in (f"{image.name}:v1", image.by_digest):
            (answer,) = ask([Question(policy, f"docker://{reference}", attached=True)])
            assert (answer.allowed, judged(image, policy, f"docker://{reference}")) == (accepted, accepted)


def with_key(pair: KeyPair, identity: dict[str, str]) -> str:
    key = base64_of(pair.public.read_bytes())
    return policy_with(**identity).replace(base64_of(b"a key"), key)


def test_every_identity_is_judged_as_containers_image_judges_it(image: Image, other: KeyPair) -> None:
    """Copies under other names have the same digest, so their signatures are good, but for the name."""
    library_signs(image, other, f"{image.name}:v1")
    copy(image, NAME, "v1", "team/copied", "v1")
    copy(image, NAME, tag_of(image), "team/copied", tag_of(image))
    host = image.address
    pulled = [
        f"docker://{reference}"
        for reference in (
            f"{host}/team/app:v1",
            f"{host}/team/app@{image.digest}",
            f"{host}/team/app:v2",
            f"{host}/team/copied:v1",
            f"{host}/team/copied@{image.digest}",
        )
    ]
    identities = [
        {"type": "matchExact"},
        {"type": "matchRepoDigestOrExact"},
        {"type": "matchRepository"},
        {"type": "exactReference", "dockerReference": f"{host}/team/app:v1"},
        {"type": "exactReference", "dockerReference": f"{host}/team/app:v2"},
        {"type": "exactReference", "dockerReference": f"{host}/team/app@{image.digest}"},
        {"type": "exactRepository", "dockerRepository": f"{host}/team/app"},
        {"type": "exactRepository", "dockerRepository": f"{host}/team/copied"},
        {"type": "remapIdentity", "prefix": f"{host}/team/copied", "signedPrefix": f"{host}/team/app"},
        {"type": "remapIdentity", "prefix": f"{host}/team", "signedPrefix": f"{host}/other"},
        {"type": "remapIdentity", "prefix": f"{host}/team/c", "signedPrefix": f"{host}/team/a"},
        {"type": "remapIdentity", "prefix": host, "signedPrefix": "docker.io"},
    ]
    questions = [
        Question(with_key(other, each), reference, attached=True)
        for each in identities
        for reference in pulled
    ]
    theirs = [answer.allowed for answer in ask(questions)]
    assert [judged(image, each.policy, each.image) for each in questions] == theirs
    assert theirs.count(True) == 22


def test_cosigns_signatures_are_judged_alike(image: Image, other: KeyPair) -> None:
    cosign_signs(image, other, TAG)
    questions = [
        Question(with_key(other, {"type": kind}), f"docker://{reference}", attached=True)
        for kind in ("matchExact", "matchRepoDigestOrExact", "matchRepository")
        for reference in (f"{image.name}:v1", image.by_digest)
    ]
    theirs = [answer.allowed for answer in ask(questions)]
    assert [judged(image, each.policy, each.image) for each in questions] == theirs
    assert theirs == [False] * 4 + [True] * 2


def copy(image: Image, source: str, target: str, name: str, tag: str) -> None:
    """Copies an image within the registry, digest and all."""
    found = image.registry.get_manifest(source, target)
    manifest = Manifest.parse(found.content, found.media_type)
    for blob in manifest.blobs:
        image.registry.mount_blob(name, Digest(blob.digest), source)
    image.registry.push_manifest(name, manifest, [tag])
