"""Of an index, the images are judged, and not the index (containers/image does so, too)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.images.policy.documents import sigstore
from tests.images.signatures.conftest import base64_of, make_key
from udist_plugin.errors import PolicyRejected
from udist_plugin.images.artifact import manifest_of
from udist_plugin.images.policy.evaluating import check_images
from udist_plugin.images.policy.names import policy_image
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.signatures.attached import Attached
from udist_plugin.images.signatures.simple_signing import MEDIA_TYPE, SIGNATURE, Claim
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX

if TYPE_CHECKING:
    from udist_plugin.images.signatures.keys import PrivateKey

NAME = "docker://example.com/app:all"
IMAGES = {name: Manifest.parse(manifest_of([], f"application/x.{name}")) for name in ("amd64", "arm64")}
LISTED = [Descriptor(each.media_type, each.digest, len(each.content)).to_json() for each in IMAGES.values()]
INDEX = Manifest.parse(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": LISTED}).encode())
ALL = IMAGES | {"index": INDEX}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[PrivateKey, Policy]:
    pair = make_key(tmp_path_factory.mktemp("key"))
    policy = sigstore(keyData=base64_of(pair.public.read_bytes()))
    return pair.signer(), Policy.parse(policy.encode())


def attached(key: PrivateKey, manifest: Manifest) -> Attached:
    payload = Claim(manifest.digest, "example.com/app:all").payload()
    notes = {SIGNATURE: base64_of(key.sign(payload))}
    return Attached("tag", Descriptor(MEDIA_TYPE, manifest.digest, len(payload), annotations=notes), payload)


@pytest.mark.parametrize(
    ("copied", "signed", "rejected"),
    [
        ("amd64 arm64 index", "", "amd64"),
        ("amd64 arm64 index", "index", "amd64"),
        ("amd64 arm64 index", "amd64 index", "arm64"),
        ("amd64 arm64 index", "amd64 arm64", None),
        ("amd64", "amd64", None),
        ("amd64", "index", "amd64"),
        ("index", "index", None),
        ("index", "amd64 arm64", "index"),
    ],
)
def test_each_image_has_to_be_signed(
    key: tuple[PrivateKey, Policy], copied: str, signed: str, rejected: str | None
) -> None:
    signer, policy = key
    signatures = {ALL[name].digest: [attached(signer, ALL[name])] for name in signed.split()}
    manifests = [ALL[name] for name in copied.split()]

    def judge() -> None:
        check_images(
            policy, policy_image(NAME), manifests, lambda manifest: signatures.get(manifest.digest, [])
        )

    if rejected is None:
        judge()
        return
    with pytest.raises(PolicyRejected, match="there is no such signature") as caught:
        judge()
    assert caught.value.__notes__ == [ALL[rejected].digest]
