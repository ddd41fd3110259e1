"""What is signed verifies, and nothing else does; nobody's attachment hides another's signature."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.images.signatures.attaching import NAME, attach, claim, put_at_tag, tag_of
from tests.images.signatures.conftest import Image, KeyPair, base64_of
from udist_plugin.errors import ManifestUnknown, NameUnknown, NotSigned, SignatureError, Unavailable
from udist_plugin.images.references import Named
from udist_plugin.images.signatures.attached import ALL_SIZES_MAX, COUNT_MAX, SIZE_MAX
from udist_plugin.images.signatures.bundle import PREDICATE_TYPE, Envelope, statement_about
from udist_plugin.images.signatures.signing import ATTEMPTS, sign_image
from udist_plugin.images.signatures.simple_signing import MEDIA_TYPE, Claim
from udist_plugin.images.signatures.verifying import verify_image
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX, OCI_MANIFEST
from udist_plugin.registry import ManifestContent, Page, RegistryWrapper

if TYPE_CHECKING:
    from collections.abc import Sequence


IDENTITY = "example.com/team/app:v1"
ZEROS = "sha256:" + "0" * 64


def verify(
    image: Image, *pairs: KeyPair, identity: str | None = None, target: str = "v1"
) -> list[str | None]:
    """The names in the good signatures."""
    named = Named.parse(identity) if identity else None
    keys = [pair.verifier() for pair in pairs]
    return [each.reference for each in verify_image(image.registry, NAME, target, keys, named)]


def reasons(image: Image, pair: KeyPair, identity: str | None = None) -> list[str]:
    """Why none of the signatures counts."""
    with pytest.raises(NotSigned) as caught:
        verify(image, pair, identity=identity)
    assert str(caught.value).startswith(f"{NAME}@{image.digest}: has no signature")
    return [reason.partition(": ")[2] for reason in caught.value.reasons]


def test_what_is_signed_verifies_by_tag_and_by_digest(image: Image, pair: KeyPair) -> None:
    signed = sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY)
    assert signed.digest == image.digest
    assert signed.tag == f"sha256-{Digest(image.digest).hex}.sig"
    for target in ("v1", "v2", image.digest):
        assert verify(image, pair, identity=IDENTITY, target=target) == [IDENTITY, IDENTITY]


def test_what_was_signed_before_is_not_signed_again(image: Image, pair: KeyPair) -> None:
    first = sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY)
    manifest = image.registry.get_manifest(NAME, first.tag).content
    assert sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY) == first
    assert image.registry.get_manifest(NAME, first.tag).content == manifest
    assert len(image.registry.list_referrers(NAME, image.digest).items) == 1
    sign_image(image.registry, NAME, "v1", pair.signer(), "example.com/team/app:v2")
    assert verify(image, pair, identity=IDENTITY) == [IDENTITY] * 2
    assert len(verify(image, pair)) == 4


def test_signatures_by_two_stand_beside_each_other(image: Image, pair: KeyPair, other: KeyPair) -> None:
    for each in (pair, other):
        sign_image(image.registry, NAME, "v1", each.signer(), IDENTITY)
    assert verify(image, pair) == verify(image, other) == [IDENTITY] * 2
    assert len(verify(image, pair, other)) == 4


def test_an_image_without_signatures(image: Image, pair: KeyPair) -> None:
    assert reasons(image, pair) == []
    with pytest.raises(ManifestUnknown):
        verify(image, pair, target="none")


def test_a_signature_by_another_key(image: Image, pair: KeyPair, other: KeyPair) -> None:
    sign_image(image.registry, NAME, "v1", other.signer(), IDENTITY)
    assert reasons(image, pair) == ["not made by the key, or changed since"] * 2


def test_a_signature_for_another_name(image: Image, pair: KeyPair) -> None:
    sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY)
    expected = f"signed for another name, {IDENTITY!r}"
    for identity in ("example.com/team/app:v2", "example.com/team/app", "other.com/team/app:v1"):
        assert reasons(image, pair, identity) == [expected] * 2


def payload_of(image: Image, **changes: Any) -> bytes:
    document = json.loads(Claim(Digest(image.digest), IDENTITY).payload())
    for path, value in changes.items():
        place = document
        *above, last = path.split("__")
        for key in above:
            place = place[key.replace("_", "-")]
        place[last.replace("_", "-")] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"critical__image__docker_manifest_digest": ZEROS}, f"signed for the digest {ZEROS}"),
        ({"critical__image__docker_manifest_digest": "sha256:0"}, "expected a digest"),
        ({"critical__type": "atomic container signature"}, "'atomic container signature' is unknown"),
        ({"critical__more": 1}, "unknown key 'more'"),
        ({"more": 1}, "unknown key 'more'"),
        ({"optional": []}, "optional: expected an object"),
        ({"critical__identity": {}}, "the key 'docker-reference' is missing"),
    ],
)
def test_a_claim_that_the_key_signed_and_that_is_none_of_this_image(
    changes: dict[str, object], problem: str, image: Image, pair: KeyPair
) -> None:
    payload = payload_of(image, **changes)
    put_at_tag(image, claim(image, payload, base64_of(pair.signer().sign(payload))))
    (reason,) = reasons(image, pair)
    assert problem in reason


def test_a_claim_that_was_changed(image: Image, pair: KeyPair) -> None:
    signature = base64_of(pair.signer().sign(payload_of(image)))
    changed = payload_of(image, critical__identity__docker_reference="example.com/other:v1")
    put_at_tag(
        image,
        claim(image, changed, signature),
        claim(image, payload_of(image), "no base64!"),
        claim(image, payload_of(image), ""),
    )
    assert reasons(image, pair) == [
        "not made by the key, or changed since",
        "its signature: expected base64",
        "not made by the key, or changed since",
    ]


def test_a_name_that_is_none(image: Image, pair: KeyPair) -> None:
    payload = payload_of(image, critical__identity__docker_reference="Not A Name")
    put_at_tag(image, claim(image, payload, base64_of(pair.signer().sign(payload))))
    assert verify(image, pair) == ["Not A Name"]
    (reason,) = reasons(image, pair, IDENTITY)
    assert reason.startswith("signed for an invalid name: Not A Name")


def bundle_of(image: Image, pair: KeyPair, **changes: Any) -> bytes:
    """A bundle whose statement has ``changes``, signed after them."""
    statement = json.loads(statement_about(Digest(image.digest), IDENTITY)) | changes
    unsigned = Envelope(json.dumps(statement).encode())
    signed = unsigned._replace(signature=pair.signer().sign(unsigned.message))
    return signed.bundle(pair.verifier().fingerprint)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"subject": [{"digest": {"sha256": "0" * 64}}]}, f"signed for the digest {ZEROS}"),
        ({"subject": []}, "signed for no digest"),
        ({"subject": [{}]}, "subject[0]: the key 'digest' is missing"),
        ({"subject": [{"digest": {"sha256": 1}}]}, "subject[0].digest['sha256']: expected a string"),
        ({"subject": [{"digest": {}}] * 1025}, "subject: more than 1024 subjects"),
        ({"predicateType": "https://slsa.dev/provenance/v1"}, "an attestation of type"),
        ({"_type": "other"}, "'other' is unknown"),
    ],
)
def test_a_statement_that_the_key_signed_and_that_is_none_of_this_image(
    changes: dict[str, object], problem: str, image: Image, pair: KeyPair
) -> None:
    attach(image, bundle_of(image, pair, **changes))
    (reason,) = reasons(image, pair)
    assert problem in reason


def test_a_statement_that_was_changed(image: Image, pair: KeyPair) -> None:
    document = json.loads(bundle_of(image, pair))
    payload = base64.b64decode(document["dsseEnvelope"]["payload"]).replace(b"v1", b"v2", 1)
    document["dsseEnvelope"]["payload"] = base64_of(payload)
    attach(image, json.dumps(document).encode())
    assert reasons(image, pair) == ["not made by the key, or changed since"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not JSON"),
        (b"\x00\xff", "not UTF-8 at byte 1"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "the key 'mediaType' is missing"),
        (b'{"mediaType": "application/vnd.dev.sigstore.bundle.v9+json"}', "is unknown"),
        (b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": 1}', "an object"),
        (b'{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}', "'dsseEnvelope' is missing"),
    ],
)
def test_a_malformed_bundle_is_named_and_hides_nothing(
    content: bytes, problem: str, image: Image, pair: KeyPair
) -> None:
    digest = attach(image, content)
    with pytest.raises(NotSigned) as caught:
        verify(image, pair)
    assert f"{digest}: " in str(caught.value)
    assert problem in str(caught.value)
    sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY)
    assert verify(image, pair) == [IDENTITY] * 2


def test_a_bundle_cannot_fill_the_screen(image: Image, pair: KeyPair) -> None:
    attach(image, json.dumps({"mediaType": "application/vnd.dev.sigstore.bundle" * 1000}).encode())
    (reason,) = reasons(image, pair)
    assert reason.startswith("mediaType: 'application/vnd.dev.sigstore.bundleapplication")
    assert len(reason) < 500


def test_two_signatures_in_an_envelope_are_refused(image: Image, pair: KeyPair) -> None:
    document = json.loads(bundle_of(image, pair))
    document["dsseEnvelope"]["signatures"] *= 2
    attach(image, json.dumps(document).encode())
    assert reasons(image, pair) == ["dsseEnvelope.signatures: expected one signature"]


def test_a_huge_bundle_is_not_read(image: Image, pair: KeyPair) -> None:
    attach(image, b" " * (SIZE_MAX + 1))
    assert reasons(image, pair) == [f"too large, {SIZE_MAX + 1} bytes"]
    sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY)
    assert verify(image, pair) == [IDENTITY] * 2


def test_a_bundle_with_a_wrong_size_is_named(image: Image, pair: KeyPair) -> None:
    attach(image, bundle_of(image, pair), size=7)
    assert reasons(image, pair) == ["the content has another size or digest"]


def test_there_is_a_bound_on_how_much_is_read(image: Image, pair: KeyPair) -> None:
    layers = [claim(image, bytes([count]) * SIZE_MAX, "") for count in range(ALL_SIZES_MAX // SIZE_MAX)]
    put_at_tag(image, *layers, claim(image, b"one more", ""))
    assert reasons(image, pair)[-1] == "too large, 8 bytes"
    put_at_tag(image, *[claim(image, b"small", "")] * (COUNT_MAX + 5))
    found = reasons(image, pair)
    assert (len(found), found[-1]) == (COUNT_MAX + 1, f"there are more than {COUNT_MAX} signatures")


class ManyReferrers(RegistryWrapper):
    """A registry with any number of referrers that hold nothing; those that were asked for."""

    def __init__(self, image: Image) -> None:
        super().__init__(image.registry)
        self.asked: list[str] = []

    def list_referrers(
        self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        return Page([Descriptor(OCI_MANIFEST, Digest.of(b"%d" % each), 2) for each in range(2 * COUNT_MAX)])

    def get_manifest(self, name: str, target: str) -> ManifestContent:
        self.asked.append(target)
        return super().get_manifest(name, target)


def test_there_is_a_bound_on_how_many_referrers_are_asked_for(image: Image, pair: KeyPair) -> None:
    registry = ManyReferrers(image)
    with pytest.raises(NotSigned, match=f"there are more than {COUNT_MAX} such referrers"):
        verify_image(registry, NAME, "v1", [pair.verifier()])
    assert len(registry.asked) == 2 + COUNT_MAX


def test_other_attachments_are_left_alone(image: Image, pair: KeyPair) -> None:
    attach(image, b"a list of parts", "application/spdx+json")
    put_at_tag(image, claim(image, b"x", "")._replace(media_type="text/plain"))
    assert reasons(image, pair) == []
    sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY)
    kept, ours = json.loads(image.registry.get_manifest(NAME, tag_of(image)).content)["layers"]
    assert (kept["mediaType"], ours["mediaType"]) == ("text/plain", MEDIA_TYPE)


def test_a_statement_without_a_name_counts_where_no_name_is_asked_for(image: Image, pair: KeyPair) -> None:
    attach(image, bundle_of(image, pair, subject=[{"digest": {"sha256": Digest(image.digest).hex}}]))
    assert verify(image, pair) == [None]
    expected = "signed by the key, but it does not say what the image is called"
    assert reasons(image, pair, IDENTITY) == [expected]


class WithoutReferrers(RegistryWrapper):
    """A registry that has not heard of referrers, as distribution."""

    def list_referrers(
        self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
    ) -> NoReturn:
        raise NameUnknown({"name": name})


def test_referrers_are_found_by_their_tag_where_a_registry_does_not_list_them(
    image: Image, pair: KeyPair
) -> None:
    registry = WithoutReferrers(image.registry)
    keys = [pair.verifier()]
    with pytest.raises(NotSigned, match="has no signatures"):
        verify_image(registry, NAME, "v1", keys)
    attach(image, bundle_of(image, pair))
    found = image.registry.list_referrers(NAME, image.digest).items
    put_index(image, f"sha256-{Digest(image.digest).hex}", *found)
    assert [each.reference for each in verify_image(registry, NAME, "v1", keys)] == [IDENTITY]


class Overwriting(RegistryWrapper):
    """A registry where somebody else writes the tag right after us, ``times``."""

    def __init__(self, image: Image, times: int) -> None:
        super().__init__(image.registry)
        self.theirs = claim(image, b"theirs", "")
        self._image = image
        self._times = times

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        pushed = super().push_manifest(name, manifest, tags)
        if tags and self._times:
            self._times -= 1
            put_at_tag(self._image, self.theirs)
        return pushed


def test_a_signature_that_another_writer_has_lost_is_written_again(image: Image, pair: KeyPair) -> None:
    registry = Overwriting(image, ATTEMPTS - 1)
    with pytest.raises(Unavailable, match="others keep writing this tag"):
        sign_image(registry, NAME, "v1", pair.signer(), IDENTITY)
    registry = Overwriting(image, ATTEMPTS - 2)
    sign_image(registry, NAME, "v1", pair.signer(), IDENTITY)
    layers = json.loads(image.registry.get_manifest(NAME, tag_of(image)).content)["layers"]
    assert layers[0] == registry.theirs.to_json()
    assert verify(image, pair) == [IDENTITY] * 2


def put_index(image: Image, tag: str, *manifests: Descriptor) -> None:
    listed = [each.to_json() for each in manifests]
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}
    image.registry.push_manifest(NAME, Manifest.parse(json.dumps(index).encode()), [tag])


def test_a_tag_that_holds_an_index_is_not_overwritten(image: Image, pair: KeyPair) -> None:
    put_index(image, tag_of(image))
    with pytest.raises(SignatureError, match="this tag is for signatures, and an index is there"):
        sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY)


def test_the_predicate_type_is_cosigns(image: Image, pair: KeyPair) -> None:
    sign_image(image.registry, NAME, "v1", pair.signer(), IDENTITY)
    (referrer,) = image.registry.list_referrers(NAME, image.digest).items
    assert referrer.annotations["dev.sigstore.bundle.predicateType"] == PREDICATE_TYPE
