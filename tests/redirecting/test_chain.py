"""Where callers are sent: what each middleware makes of a URL, beside distribution itself."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.storage.stock import DEBIANS, running
from udist_plugin.bootstrap.apps import create_app
from udist_plugin.errors import ConfigurationError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.drivers.s3.server import S3Server

BLOB = b"some content"
DIGEST = Digest.of(BLOB)
PAIR = "K2JCJMDEHXQW5F"
BASE = "https://d111111abcdef8.cloudfront.net"
REWRITE = {"name": "rewrite", "options": {"scheme": "https", "host": "cdn.example:8443"}}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def cloudfront(key: rsa.RSAPrivateKey, tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    options = {"baseurl": BASE, "privatekey": str(file), "keypairid": PAIR, "duration": "45m"}
    return {"name": "cloudfront", "options": options}


@pytest.fixture
def s3(minio_server: S3Server) -> dict[str, Any]:
    bucket = minio_server.bucket()
    return {"s3": minio_server.parameters(bucket, rootdirectory="/some/root", forcepathstyle=True)}


def configured(storage: Mapping[str, Any], middleware: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"version": 0.1, "storage": storage, "middleware": {"storage": list(middleware)}}


def location(configuration: Mapping[str, Any]) -> str | None:
    """Where udist sends callers."""
    with create_app(dict(configuration), {}) as app:
        app.registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
        return app.registry.locate_blob("a", DIGEST)


def theirs(program: str, configuration: Mapping[str, Any], folder: Path) -> str:
    """Where distribution does, of the same store."""
    file = folder / "config.yml"
    file.write_text(json.dumps({**configuration, "http": {"addr": "127.0.0.1:0"}}))
    with running(program, file) as stock:
        answer = stock.request("GET", f"/v2/a/blobs/{DIGEST}")
    assert answer.status == 307
    return answer.headers["location"]


def unsigned(url: str) -> str:
    """Without what differs from one second to the next."""
    return re.sub(r"(Expires|Signature|X-Amz-Date|X-Amz-Signature)=[^&]*", r"\1=", url)


def verify(url: str, key: rsa.RSAPrivateKey) -> float:
    """When it expires; raises where the signature is of something else, or by another key."""
    parts = urlsplit(url)
    query = {name: value for name, (value,) in parse_qs(parts.query).items()}
    resource = url.partition("?")[0]
    expires = int(query["Expires"])
    condition = {"DateLessThan": {"AWS:EpochTime": expires}}
    policy = {"Statement": [{"Resource": resource, "Condition": condition}]}
    signature = base64.b64decode(query["Signature"].translate(str.maketrans("-_~", "+=/")))
    key.public_key().verify(signature, json.dumps(policy, separators=(",", ":")).encode(), PKCS1v15(), SHA1())
    assert query["Key-Pair-Id"] == PAIR
    return expires


@pytest.mark.parametrize("program", ["registry", DEBIANS])
def test_cloudfront_gets_the_url_that_distribution_signs(
    program: str,
    cloudfront: dict[str, Any],
    s3: dict[str, Any],
    key: rsa.RSAPrivateKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)  # with it, version 2 does not start
    configuration = configured(s3, [cloudfront])
    ours = location(configuration)
    other = theirs(program, configuration, tmp_path)
    assert ours is not None
    for url in (ours, other):
        assert abs(verify(url, key) - time.time() - 45 * 60) < 60
    assert unsigned(ours) == unsigned(other)
    assert ours.startswith(f"{BASE}/some/root{paths.blob_data(DIGEST)}?Expires=")


@pytest.mark.parametrize("trimmed", ["", "/nothing", "bucket"])
def test_rewritten_as_distribution_does(trimmed: str, s3: dict[str, Any], tmp_path: Path) -> None:
    prefix = f"/{s3['s3']['bucket']}" if trimmed == "bucket" else trimmed
    rewrite = {**REWRITE, "options": {**REWRITE["options"], "trimpathprefix": prefix}}  # type: ignore[dict-item]
    configuration = configured(s3, [rewrite])
    ours, other = location(configuration), theirs("registry", configuration, tmp_path)
    assert ours is not None
    assert urlsplit(ours)[:3] == urlsplit(other)[:3]
    assert urlsplit(ours)[:2] == ("https", "cdn.example:8443")
    assert urlsplit(ours).path.startswith("/some/root/" if trimmed == "bucket" else f"/{s3['s3']['bucket']}/")
    assert parse_qs(urlsplit(ours).query).keys() >= {"X-Amz-Signature", "X-Amz-Expires"}


def test_each_changes_what_the_one_before_it_gives(
    cloudfront: dict[str, Any], s3: dict[str, Any], tmp_path: Path
) -> None:
    configuration = configured(s3, [cloudfront, REWRITE])
    ours, other = location(configuration), theirs("registry", configuration, tmp_path)
    assert ours is not None
    assert unsigned(ours) == unsigned(other)
    assert ours.startswith("https://cdn.example:8443/some/root/")
    redirect = {"name": "redirect", "options": {"baseurl": "http://a.example/b/"}}
    configuration = configured(s3, [REWRITE, redirect])
    assert location(configuration) == theirs("registry", configuration, tmp_path)
    configuration = configured(s3, [redirect, REWRITE])
    assert location(configuration) == theirs("registry", configuration, tmp_path)


@pytest.mark.parametrize("first", [[], [REWRITE]])
def test_cloudfront_elsewhere_is_refused(
    first: list[dict[str, Any]], cloudfront: dict[str, Any], s3: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="expected cloudfront to be the first entry") as caught:
        location(configured(s3 if first else {"inmemory": {}}, [*first, cloudfront]))
    assert caught.value.key == f"middleware.storage.{len(first)}.name"


def test_what_has_no_url_is_not_rewritten() -> None:
    assert location(configured({"inmemory": {}}, [REWRITE])) is None


def test_a_key_that_cannot_sign_is_named(
    cloudfront: dict[str, Any], s3: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1())
    other, text = tmp_path / "ec.pem", tmp_path / "text"
    other.write_bytes(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    text.write_text("no key")
    for file, problem in (
        (tmp_path / "none", "cannot read"),
        (other, "no RSA key"),
        (text, "no private key"),
    ):
        cloudfront["options"]["privatekey"] = str(file)
        with pytest.raises(ConfigurationError, match=problem) as caught:
            location(configured(s3, [cloudfront]))
        assert caught.value.key == "middleware.storage.0.options.privatekey"
        assert str(file) in caught.value.problem
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.rsa", None)
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[cloudfront\]' in a checkout"):
        location(configured(s3, [cloudfront]))
