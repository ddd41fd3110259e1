"""The store of OSS's objects, against a server that refuses what OSS refuses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest

from tests.drivers.s3.test_store import Suite
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.oss.settings import settings
from udist_plugin.drivers.oss.store import OssStore

if TYPE_CHECKING:
    from typing import Any

    from tests.drivers.oss.server import OssServer
    from udist_plugin.drivers.objects.store import ObjectStore


def opened(server: OssServer, **more: Any) -> OssStore:
    return OssStore(settings(server.parameters(chunksize=PART_MIN, **more))[0])


class TestOss(Suite):
    lists_md5 = False

    @pytest.fixture
    def store(self, server: OssServer) -> ObjectStore:
        return opened(server)


def test_a_signed_url_serves_without_more_and_not_another_object(server: OssServer) -> None:
    store = opened(server)
    store.put("a+b c/data", b"content")
    url = store.url_for("a+b c/data")
    assert url is not None
    with urlopen(url) as answer:
        assert answer.read() == b"content"
    assert parse_qs(urlsplit(url).query)["x-oss-expires"] in (["1199"], ["1200"])
    store.put("other", b"x")
    with pytest.raises(HTTPError, match="403"):
        urlopen(url.replace("a%2Bb%20c/data", "other"))


def test_the_bucket_s_host_is_in_every_request(server: OssServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ``BUCKET.oss-cn-hangzhou.aliyuncs.com``, for which the server stands as a proxy."""
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    store = opened(server, endpoint="")
    store.put("a", b"x")
    assert [found.key for found in store.objects("")] == ["a"]
    hosts = {asked.headers["host"] for asked in server.asked}
    assert hosts == {f"{server.bucket}.oss-cn-hangzhou.aliyuncs.com"}


def write(store: OssStore, size: int, mark: str = "") -> None:
    writer = store.writer("a", mark=mark)
    writer.write(b"x" * size)
    writer.commit()


@pytest.mark.parametrize("size", [5, PART_MIN + 1])
def test_only_a_new_object_forbids_overwriting(size: int, server: OssServer) -> None:
    store = opened(server)
    write(store, size)
    assert not any("x-oss-forbid-overwrite" in asked.headers for asked in server.asked)
    store.delete(["a"])
    server.asked.clear()
    write(store, size, "mine")
    forbidding = [asked for asked in server.asked if "x-oss-forbid-overwrite" in asked.headers]
    assert [asked.method for asked in forbidding] == ["PUT" if size == 5 else "POST"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"encrypt": True}, ("AES256", None)),
        ({"encrypt": True, "encryptionkeyid": "key-1"}, ("KMS", "key-1")),
        ({}, (None, None)),
    ],
)
def test_whatever_is_made_is_encrypted_as_asked(
    given: dict[str, Any], said: tuple[str | None, str | None], server: OssServer
) -> None:
    store = opened(server, **given)
    store.put("a", b"x")
    store.join([store.head("a")], "b")
    write(store, PART_MIN + 1)
    found = [
        tuple(asked.headers.get(f"x-oss-server-side-encryption{end}") for end in ("", "-key-id"))
        for asked in server.asked
        if "uploads" in asked.query or (asked.method == "PUT" and "uploadId" not in asked.query)
    ]
    assert found == [said] * 3


def test_abandoned_uploads_are_dropped_and_no_others(server: OssServer) -> None:
    store = opened(server)
    for key in ("old/a", "other/a"):
        store.writer(key).write(b"x" * (PART_MIN + 1))
    store.purge("old/", 3600)
    assert "DELETE" not in [asked.method for asked in server.asked]
    store.purge("old/", -60)
    dropped = [asked.key for asked in server.asked if asked.method == "DELETE"]
    assert dropped == ["old/a"]


def test_a_content_cut_short_is_asked_for_again_of_the_same_version(server: OssServer) -> None:
    store = opened(server)
    store.put("a", b"0123456789" * 100_000)
    with store.get("a", 10) as content:
        assert content.read(5) == b"01234"
        content._resume("cut")  # type: ignore[attr-defined]
        assert content.read() == (b"0123456789" * 100_000)[15:]
    again = server.asked[-1]
    assert again.headers["range"] == "bytes=15-"
    assert again.headers["if-match"] == store.head("a").version
    assert time.time() - store.head("a").modified < 60
