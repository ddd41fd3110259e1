"""What the section says, and what a probe says of a bucket that cannot be used: key, cause and cure, soon."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.drivers.oss.server import ID, SECRET
from tests.drivers.scripted import Reply, scripted
from tests.drivers.sections import section
from udist_plugin import Plugin
from udist_plugin.drivers import further_steps, open_driver, problems
from udist_plugin.drivers.oss.keys import PART_SIZE
from udist_plugin.drivers.oss.settings import Settings, settings
from udist_plugin.drivers.oss.store import OssStore
from udist_plugin.errors import ConfigurationError, HandshakeFailed, StorageError, StorageUnavailable
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.drivers.oss.server import OssServer

SOON = 30.0
GIVEN: dict[str, object] = {
    "accesskeyid": "id",
    "accesskeysecret": "secret",
    "region": "oss-cn-beijing",
    "bucket": "registry",
}


def test_parameters() -> None:
    url = "https://registry.oss-cn-beijing.aliyuncs.com"
    found, root = settings(section("oss", GIVEN))
    assert (found, root) == (Settings("registry", "cn-beijing", url, "id", "secret"), "")
    given = {
        "endpoint": "images.example.com:8443",
        "internal": True,
        "secure": False,
        "encrypt": True,
        "encryptionkeyid": "key",
        "chunksize": "6291456",
        "rootdirectory": "/a/b/",
    }
    found, root = settings(section("oss", {**GIVEN, **given}))
    url = "http://images.example.com:8443"
    assert found == Settings("registry", "cn-beijing", url, "id", "secret", "KMS", "key", 6 << 20)
    assert root == "a/b/"
    assert settings(GIVEN)[0].part_size == PART_SIZE


@pytest.mark.parametrize(
    ("given", "host", "region"),
    [
        ({}, "https://registry.oss-cn-beijing.aliyuncs.com", "cn-beijing"),
        ({"internal": True}, "https://registry.oss-cn-beijing-internal.aliyuncs.com", "cn-beijing"),
        ({"secure": False}, "http://registry.oss-cn-beijing.aliyuncs.com", "cn-beijing"),
        ({"region": "us-west-1"}, "https://registry.oss-us-west-1.aliyuncs.com", "us-west-1"),
        (
            {"region": "oss-cn-beijing-internal", "internal": True},
            "https://registry.oss-cn-beijing-internal.aliyuncs.com",
            "cn-beijing",
        ),
        (
            {"region": "vpc100-oss-cn-beijing"},
            "https://registry.vpc100-oss-cn-beijing.aliyuncs.com",
            "cn-beijing",
        ),
        ({"bucket": "Registry"}, "https://registry.oss-cn-beijing.aliyuncs.com", "cn-beijing"),
        ({"endpoint": "http://images.example.com"}, "http://images.example.com", "cn-beijing"),
    ],
)
def test_the_bucket_s_host_and_region(given: dict[str, object], host: str, region: str) -> None:
    found, _ = settings({**GIVEN, **given})
    assert (found.url, found.region) == (host, region)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"accesskeyid": ""}, "accesskeyid"),
        ({"accesskeysecret": None}, "accesskeysecret"),
        ({"accesskeysecret": "secret\n"}, "accesskeysecret"),
        ({"region": ""}, "region"),
        ({"region": "oss cn"}, "region"),
        ({"bucket": ""}, "bucket"),
        ({"bucket": "a_b"}, "bucket"),
        ({"endpoint": "oss-cn-beijing.aliyuncs.com"}, "endpoint"),
        ({"endpoint": "127.0.0.1:9000"}, "endpoint"),
        ({"endpoint": "host/path"}, "endpoint"),
        ({"endpoint": "ftp://host"}, "endpoint"),
        ({"endpoint": "user@host"}, "endpoint"),
        ({"endpoint": "host:0"}, "endpoint"),
        ({"encryptionkeyid": "key"}, "encryptionkeyid"),
        ({"chunksize": 1 << 20}, "chunksize"),
        ({"chunksize": "much"}, "chunksize"),
        ({"secure": "maybe"}, "secure"),
    ],
)
def test_wrong_parameters_are_named(values: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(section("oss", {**GIVEN, **values}))
    assert caught.value.key == f"storage.oss.{key}"


def test_all_that_is_wrong_is_named_at_once() -> None:
    found = problems("oss", {"endpoint": "oss-cn-beijing.aliyuncs.com"})
    names = {error.key.removeprefix("storage.oss.") for error in found}
    assert names == {"accesskeyid", "accesskeysecret", "region", "bucket", "endpoint"}
    assert problems("oss", GIVEN) == []


def refusal(parameters: dict[str, Any]) -> ConfigurationError:
    before = time.monotonic()
    with pytest.raises(ConfigurationError) as caught:
        OssStore(settings(parameters)[0]).probe()
    assert time.monotonic() - before < SOON
    assert f"the bucket {parameters['bucket']} at http" in caught.value.problem
    assert SECRET not in caught.value.problem
    return caught.value


@pytest.mark.parametrize(
    ("given", "key", "cure"),
    [
        ({"accesskeyid": "nobody"}, "accesskeyid", "correct or renew it"),
        ({"accesskeysecret": "wrong"}, "accesskeysecret", "correct the secret, or the region"),
        ({"region": "oss-us-west-1"}, "accesskeysecret", "correct the secret, or the region"),
        ({"bucket": "another-one"}, "accesskeysecret", "correct the secret"),
    ],
)
def test_credentials_that_are_refused(
    given: dict[str, object], key: str, cure: str, server: OssServer
) -> None:
    error = refusal(server.parameters(**given))
    assert error.key == f"storage.oss.{key}"
    assert cure in error.problem


def test_a_missing_bucket(server: OssServer) -> None:
    server.bucket = "registry-that-is-not-there"
    error = refusal(server.parameters())
    assert error.key == "storage.oss.bucket"
    assert "does not exist" in error.problem


def test_a_plugin_says_at_start_what_is_wrong_with_its_credentials(server: OssServer) -> None:
    storage = {"oss": server.parameters(accesskeyid="nobody")}
    with pytest.raises(HandshakeFailed, match=r"storage\.oss\.accesskeyid .* is refused"):
        Plugin(json.dumps({"version": 0.1, "storage": storage})).close()


def asking(url: str) -> dict[str, Any]:
    endpoint = f"localhost:{url.rpartition(':')[2]}"
    return {**GIVEN, "accesskeyid": ID, "accesskeysecret": SECRET, "secure": False, "endpoint": endpoint}


def test_what_is_denied_names_the_permissions() -> None:
    said = b"<Error><Code>AccessDenied</Code><Message>no right</Message></Error>"
    with scripted(lambda _: Reply(403, said)) as url:
        error = refusal(asking(url))
        assert error.key == "storage.oss.bucket"
        assert "a registry needs oss:ListObjects" in error.problem
        store = OssStore(settings(asking(url))[0])
        with pytest.raises(StorageError, match=r"b: .*grant them oss:ListObjects.*no right") as caught:
            store.put("b", b"x")
        assert caught.value.driver == "oss"


def test_a_bucket_of_another_region() -> None:
    told = b"must be addressed using the specified endpoint."
    said = b"<Error><Code>AccessDenied</Code><Message>%s</Message></Error>" % told
    with scripted(lambda _: Reply(403, said)) as url:
        error = refusal(asking(url))
    assert error.key == "storage.oss.region"
    assert "is in another region" in error.problem


def test_a_netrc_does_not_replace_signatures(
    server: OssServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    OssStore(settings(server.parameters())[0]).probe()


@pytest.mark.parametrize("content", [b"<!doctype html><html><body>Console</body></html>", b"", b"{}"])
def test_a_server_of_something_else(content: bytes) -> None:
    with scripted(lambda _: Reply(200, content, {"Content-Type": "text/html"})) as url:
        error = refusal(asking(url))
        assert error.key == "storage.oss.endpoint"
        assert "this is not an answer of OSS" in error.problem


def test_a_service_that_cannot_be_reached(refusing: Callable[[], str]) -> None:
    error = refusal(asking(refusing()))
    assert error.key == "storage.oss.endpoint"
    assert "cannot be reached: check region, endpoint" in error.problem


def test_a_service_that_is_busy_may_answer_later() -> None:
    said = b"<Error><Code>QpsLimitExceeded</Code><Message>too many</Message></Error>"
    with (
        scripted(lambda _: Reply(503, said)) as url,
        pytest.raises(StorageUnavailable, match="is busy: too many"),
    ):
        OssStore(settings(asking(url))[0]).probe()


def test_the_doctor_tries_uploads_and_whether_overwriting_is_forbidden(server: OssServer) -> None:
    driver = open_driver("oss", server.parameters(), scratch=paths.SCRATCH)
    steps = dict(further_steps(driver, "/doctor"))
    assert [*steps] == ["multipart", "exclusive"]
    for step in steps.values():
        step()
    assert {"uploadId"} in [asked.query.keys() for asked in server.asked if asked.method == "DELETE"]
    server.versioned = True
    with pytest.raises(StorageError, match="use a bucket without versioning"):
        step()
    assert list(driver.store.objects("")) == []  # type: ignore[attr-defined]
