"""What the section says, and what a probe says of a bucket that cannot be used: key, cause and cure, soon."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from tests.drivers.s3.server import ACCESS_KEY, SECRET_KEY, minio
from tests.drivers.scripted import Reply, Request, scripted
from tests.drivers.sections import section
from tests.tools import require_tool
from udist_plugin.drivers.s3.settings import Settings, settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.drivers.s3.server import S3Server

SOON = 30.0
MIB = 1 << 20


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without what the SDK would find on this machine."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))


def opened(values: dict[str, Any]) -> S3Store:
    return S3Store(settings(values)[0])


def refusal(values: dict[str, Any]) -> ConfigurationError:
    store = opened(values)
    before = time.monotonic()
    with pytest.raises(ConfigurationError) as caught:
        store.probe()
    assert time.monotonic() - before < SOON
    assert f"the bucket {values['bucket']}" in caught.value.problem
    return caught.value


def test_parameters() -> None:
    assert settings({"bucket": "b", "region": "r"}) == (Settings("b", "r"), "")
    found, root = settings(
        {
            "bucket": "b",
            "region": "r",
            "regionendpoint": "s3.example.com",
            "accesskey": "id",
            "secretkey": "secret",
            "sessiontoken": "token",
            "credentialsconfigpath": "/c",
            "profile": "p",
            "encrypt": True,
            "keyid": "k",
            "secure": False,
            "skipverify": True,
            "v4auth": False,
            "chunksize": 6 * MIB,
            "multipartcopychunksize": 7 * MIB,
            "multipartcopymaxconcurrency": 8,
            "multipartcopythresholdsize": 9,
            "rootdirectory": "/a/b/",
            "storageclass": "STANDARD_IA",
            "objectacl": "public-read",
            "useragent": "me",
            "usedualstack": True,
            "usefipsendpoint": True,
            "accelerate": True,
            "redirectendpoint": "https://cdn.example.com/",
        }
    )
    assert root == "a/b/"
    assert found == Settings(
        bucket="b",
        region="r",
        endpoint="http://s3.example.com",
        access_key="id",
        secret_key="secret",
        session_token="token",
        credentials_file="/c",
        profile="p",
        addressing="path",
        signature="s3",
        verify=False,
        secure=False,
        dual_stack=True,
        fips=True,
        accelerate=True,
        user_agent="me",
        part_size=6 * MIB,
        copy_size=7 * MIB,
        copies=8,
        copy_threshold=9,
        storage_class="STANDARD_IA",
        acl="public-read",
        encrypt=True,
        kms_key="k",
        redirect="https://cdn.example.com",
    )
    assert settings({"bucket": "b", "cafile": "/ca.pem"})[0].verify == "/ca.pem"
    for default in ({"storageclass": "NONE"}, {"storageclass": "STANDARD"}, {"objectacl": "private"}):
        assert settings({"bucket": "b", **default})[0] == Settings("b")


@pytest.mark.parametrize(
    ("values", "style"),
    [
        ({}, "auto"),
        ({"forcepathstyle": True}, "path"),
        ({"regionendpoint": "http://e"}, "path"),
        ({"regionendpoint": "http://e", "forcepathstyle": False}, "virtual"),
    ],
)
def test_an_endpoint_means_paths_unless_told_otherwise(values: dict[str, object], style: str) -> None:
    assert settings({"bucket": "b", **values})[0].addressing == style


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"bucket": ""}, "bucket"),
        ({"chunksize": 5 * MIB - 1}, "chunksize"),
        ({"chunksize": 6 << 30}, "chunksize"),
        ({"multipartcopychunksize": "much"}, "multipartcopychunksize"),
        ({"multipartcopymaxconcurrency": 0}, "multipartcopymaxconcurrency"),
        ({"accesskey": "id"}, "secretkey"),
        ({"secretkey": "secret"}, "accesskey"),
        ({"regionendpoint": "ftp://e"}, "regionendpoint"),
        ({"regionendpoint": "http://e:99999"}, "regionendpoint"),
        ({"regionendpoint": "e:port"}, "regionendpoint"),
        ({"regionendpoint": "http://:9000"}, "regionendpoint"),
        ({"regionendpoint": "http://[::1"}, "regionendpoint"),
        ({"regionendpoint": "http://e/?token=hidden"}, "regionendpoint"),
        ({"regionendpoint": "http://me:hidden@e"}, "regionendpoint"),
        ({"regionendpoint": "http://e\n"}, "regionendpoint"),
        ({"redirectendpoint": "cdn.example.com"}, "redirectendpoint"),
        ({"redirectendpoint": "https://cdn.example.com/base"}, "redirectendpoint"),
        ({"redirectendpoint": "https://cdn.example.com:99999"}, "redirectendpoint"),
        ({"v4auth": False}, "v4auth"),
        ({"encrypt": "perhaps"}, "encrypt"),
        ({"keyid": "arn:aws:kms:r:1:key/k"}, "keyid"),
        ({"region": ""}, "region"),
        ({"credentialsconfigpath": "/not/there"}, "credentialsconfigpath"),
        ({"profile": "nobody"}, "udist.s3.profile"),
    ],
)
def test_wrong_parameters_are_named(values: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(dict(section("s3", {"bucket": "b", "region": "us-east-1", **values})))
    assert caught.value.key == (key if "." in key else f"storage.s3.{key}")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("how", ["credentialsconfigpath", "profile", "environment"])
def test_credentials_may_come_from_elsewhere(
    how: str, minio_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = minio_server.parameters(minio_server.bucket(), accesskey="", secretkey="")
    file = tmp_path / "credentials"
    section = "default" if how == "credentialsconfigpath" else "backup"
    file.write_text(f"[{section}]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
    if how == "credentialsconfigpath":
        values[how] = str(file)
    elif how == "profile":
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
        values[how] = section
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    opened(values).probe()


def test_a_missing_bucket(server: S3Server) -> None:
    error = refusal(server.parameters("not-there"))
    assert error.key == "storage.s3.bucket"
    assert "does not exist" in error.problem


@pytest.mark.parametrize("key", ["accesskey", "secretkey"])
def test_wrong_credentials(key: str, server: S3Server) -> None:
    error = refusal(server.parameters(server.bucket(), **{key: "udist-wrong-one"}))
    assert error.key == f"storage.s3.{key}"
    assert "refused" in error.problem
    assert SECRET_KEY not in str(error)


def test_no_credentials(minio_server: S3Server) -> None:
    error = refusal(minio_server.parameters("registry", accesskey="", secretkey=""))
    assert error.key == "storage.s3.accesskey"
    assert "no credentials" in error.problem


@pytest.mark.parametrize(
    ("status", "code", "more", "key", "cure"),
    [
        (403, "AccessDenied", {}, "bucket", "s3:ListBucket"),
        (400, "ExpiredToken", {"sessiontoken": "old"}, "sessiontoken", "renew"),
        (400, "ExpiredToken", {}, "accesskey", "renew"),
        (403, "RequestTimeTooSkewed", {}, "accesskey", "clock"),
        (301, "PermanentRedirect", {}, "region", "region"),
        (400, "InvalidArgument", {}, "bucket", "said"),
        (403, "InvalidTokenId", {"sessiontoken": "old"}, "sessiontoken", "renew"),
        (403, "InvalidTokenId", {}, "accesskey", "session token"),
    ],
)
def test_what_a_service_refuses(status: int, code: str, more: dict[str, object], key: str, cure: str) -> None:
    content = f"<Error><Code>{code}</Code><Message>so it said</Message></Error>".encode()
    keys = {"accesskey": "id", "secretkey": "secret"}

    def reply(request: Request) -> Reply:
        headers = {"Content-Type": "application/xml", "x-amz-bucket-region": "eu-north-1"}
        return Reply(status, b"" if request.method == "HEAD" else content, headers)

    with scripted(reply) as url:
        error = refusal({"bucket": "registry", "regionendpoint": url, **keys, **more})
    assert error.key == f"storage.s3.{key}"
    assert cure in error.problem
    assert "so it said" in error.problem


def test_a_wrong_region(tmp_path: Path) -> None:
    with minio(tmp_path, region="eu-central-1") as server:
        bucket = server.bucket()
        error = refusal(server.parameters(bucket, region="us-east-1"))
        assert error.key == "storage.s3.region"
        opened(server.parameters(bucket, region="eu-central-1")).probe()


def test_a_service_that_cannot_be_reached(refusing: Callable[[], str]) -> None:
    keys = {"accesskey": "id", "secretkey": "secret"}
    error = refusal({"bucket": "registry", "regionendpoint": f"http://{refusing()}", **keys})
    assert error.key == "storage.s3.regionendpoint"
    assert "cannot be reached" in error.problem


def test_a_certificate_that_nobody_signed(tmp_path: Path) -> None:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    public, private = certificates / "public.crt", certificates / "private.key"
    arguments = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -subj /CN=udist"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(private), "-out", str(public)]
    command = [require_tool("openssl"), *arguments.split(), *names]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    data = tmp_path / "data"
    data.mkdir()
    with minio(data, certificates=certificates) as server:
        values = server.parameters(server.bucket())
        error = refusal(values)
        assert error.key == "udist.s3.cafile"
        assert "not trusted" in error.problem
        for trusting in ({"cafile": str(public)}, {"skipverify": True}):
            store = opened({**values, **trusting})
            store.probe()
            store.put("a", b"content")
            with store.get("a") as content:
                assert content.read() == b"content"


def test_urls_are_signed_for_a_while(server: S3Server) -> None:
    values = server.parameters(server.bucket())
    store = opened(values)
    store.put("a/b", b"content")
    url = store.url_for("a/b")
    assert url is not None
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["1200"]
    with urlopen(url, timeout=10) as response:
        assert response.read() == b"content"
    other = opened({**values, "redirectendpoint": "https://cdn.example.com"}).url_for("a/b")
    assert other is not None
    assert other.startswith(f"https://cdn.example.com/{store.bucket}/a/b?")


def test_what_is_said_of_objects() -> None:
    asked: list[Request] = []
    answer = b"<R><UploadId>1</UploadId><CopyPartResult><ETag>1</ETag></CopyPartResult></R>"

    def reply(request: Request) -> Reply:
        asked.append(request)
        content = b"" if request.method == "HEAD" else answer
        return Reply(200, content, {"ETag": '"1"', "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT"})

    with scripted(reply) as url:
        store = opened(
            {
                "bucket": "b",
                "regionendpoint": url,
                "accesskey": "id",
                "secretkey": "secret",
                "encrypt": True,
                "keyid": "key",
                "storageclass": "STANDARD_IA",
                "objectacl": "bucket-owner-full-control",
                "useragent": "me/1",
                "chunksize": 5 * MIB,
            }
        )
        store.put("a", b"x")
        store.join([store.head("a")], "b")
        writer = store.writer("c")
        writer.write(b"x" * (5 * MIB + 1))
        writer.commit()
    made = [
        each
        for each in asked
        if re.search(r"(PUT /b/[ab]|POST /b/c\?uploads)$", f"{each.method} {each.target}")
    ]
    assert len(made) == 3
    assert {each.target for each in asked if each.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"} == {
        "/b/c?uploadId=1&partNumber=1",
        "/b/c?uploadId=1&partNumber=2",
    }
    for request in made:
        assert request.headers["x-amz-server-side-encryption"] == "aws:kms"
        assert request.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "key"
        assert request.headers["x-amz-storage-class"] == "STANDARD_IA"
        assert request.headers["x-amz-acl"] == "bucket-owner-full-control"
        assert re.search(r"udist-plugin.* me/1", request.headers["user-agent"])
