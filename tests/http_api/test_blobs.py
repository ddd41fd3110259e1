from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.images import push_blob
from tests.http_api.wsgi import Client
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import RegistryWrapper

if TYPE_CHECKING:
    from udist_plugin.registry import Registry

CONTENT = bytes(range(256)) * 8
MISSING = Digest.of(b"missing")
CAN_REDIRECT = {"udist.capabilities": frozenset({"redirect"})}


@pytest.fixture(params=["sha256", "sha512"])
def blob(request: pytest.FixtureRequest, client: Client) -> str:
    digest = push_blob(client, "some/name", CONTENT, request.param)
    return f"/v2/some/name/blobs/{digest}"


def test_get_gives_content_and_digest(client: Client, blob: str) -> None:
    answer = client.get(blob)
    digest = blob.rpartition("/")[2]
    assert (answer.status, answer.content) == (200, CONTENT)
    assert answer.field("content-type") == "application/octet-stream"
    assert answer.field("docker-content-digest") == digest
    assert answer.field("etag") == f'"{digest}"'
    assert answer.field("accept-ranges") == "bytes"


def test_head_gives_what_get_would_say(client: Client, blob: str) -> None:
    answer, full = client.head(blob), client.get(blob)
    assert (answer.status, answer.content) == (200, b"")
    assert sorted(answer.fields) == sorted(full.fields)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_unknown_blob(client: Client, method: str) -> None:
    answer = client.request(method, f"/v2/some/name/blobs/{MISSING}")
    assert answer.status == 404
    if method != "HEAD":
        assert answer.code == "BLOB_UNKNOWN"
        assert answer.json()["errors"][0]["message"] == "blob unknown to registry"


@pytest.mark.parametrize("reference", ["sha256:abc", "latest", "md5:" + "0" * 32, "sha256:" + "A" * 64])
def test_malformed_digest(client: Client, reference: str) -> None:
    for method in ("GET", "DELETE"):
        answer = client.request(method, f"/v2/some/name/blobs/{reference}")
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


def test_an_escaped_colon_is_a_colon(client: Client, blob: str) -> None:
    assert client.get(blob.replace(":", "%3A")).content == CONTENT


@pytest.mark.parametrize(
    ("field", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=500-1499", 500, 1500),
        ("bytes=500-", 500, 2048),
        ("bytes=-500", 1548, 2048),
        ("bytes=2000-5000", 2000, 2048),
        ("bytes=-5000", 0, 2048),
        ("bytes=0-", 0, 2048),
    ],
)
def test_range(client: Client, blob: str, field: str, start: int, end: int) -> None:
    answer = client.get(blob, range=field)
    assert (answer.status, answer.content) == (206, CONTENT[start:end])
    assert answer.field("content-range") == f"bytes {start}-{end - 1}/2048"
    assert answer.field("docker-content-digest") == blob.rpartition("/")[2]


@pytest.mark.parametrize(
    "field", ["bytes=2048-", "bytes=5000-9000", "bytes=500-0", "bytes=-0", "bytes=-", "bytes=a-b", "bytes="]
)
def test_unsatisfiable_range(client: Client, blob: str, field: str) -> None:
    answer = client.get(blob, range=field)
    assert (answer.status, answer.code) == (416, "RANGE_INVALID")
    assert answer.field("content-range") == "bytes */2048"


@pytest.mark.parametrize("field", ["bytes=0-1,4-5", "lines=1-2", "0-4"])
def test_ranges_that_are_ignored(client: Client, blob: str, field: str) -> None:
    answer = client.get(blob, range=field)
    assert (answer.status, answer.content) == (200, CONTENT)


def test_range_of_head_and_of_nothing_is_ignored(client: Client, blob: str) -> None:
    assert client.head(blob, range="bytes=0-0").status == 200
    empty = push_blob(client, "some/name", b"")
    assert client.get(f"/v2/some/name/blobs/{empty}", range="bytes=0-0").status == 200


def test_if_none_match(client: Client, blob: str) -> None:
    tag = client.head(blob).field("etag")
    for field in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for answer in (client.get(blob, if_none_match=field), client.head(blob, if_none_match=field)):
            assert (answer.status, answer.content, answer.field("etag")) == (304, b"", tag)
    assert client.get(blob, if_none_match='"other"').status == 200


def test_if_match(client: Client, blob: str) -> None:
    tag = client.head(blob).field("etag")
    assert client.get(blob, if_match=tag).status == 200
    for field in ('"other"', f"W/{tag}"):
        answer = client.get(blob, if_match=field)
        assert (answer.status, answer.code) == (412, "DIGEST_INVALID")


def test_if_range(client: Client, blob: str) -> None:
    tag = client.head(blob).field("etag")
    assert client.get(blob, range="bytes=0-9", if_range=tag).status == 206
    assert client.get(blob, range="bytes=0-9", if_range=f"W/{tag}").status == 200
    assert client.get(blob, range="bytes=0-9", if_range="Sun, 06 Nov 1994 08:49:37 GMT").status == 200


def test_delete(client: Client, blob: str) -> None:
    assert client.request("DELETE", blob).status == 202
    assert client.get(blob).status == 404
    assert client.request("DELETE", blob).status == 404


class Wrapper:
    """A file wrapper that remembers what it was given."""

    given: list[Any]

    def __init__(self, file: Any) -> None:
        self.given.append(file)
        self.file = file

    def __iter__(self) -> Any:
        return iter(lambda: self.file.read(100), b"")

    def close(self) -> None:
        self.file.close()


@pytest.fixture
def wrapper() -> type[Wrapper]:
    return type("FreshWrapper", (Wrapper,), {"given": []})


def test_files_are_given_to_the_server(client: Client, blob: str, wrapper: type[Wrapper]) -> None:
    answer = client.request("GET", blob, environ={"wsgi.file_wrapper": wrapper})
    assert answer.content == CONTENT
    for file in wrapper.given:
        assert file.closed


def test_part_of_a_file_is_given_only_to_our_server(
    client: Client, blob: str, wrapper: type[Wrapper]
) -> None:
    answer = client.request("GET", blob, {"Range": "bytes=5-9"}, environ={"wsgi.file_wrapper": wrapper})
    assert (answer.content, wrapper.given) == (CONTENT[5:10], [])


def test_our_server_is_given_a_file_at_the_start_of_the_range(
    client: Client, blob: str, wrapper: type[Wrapper], request: pytest.FixtureRequest
) -> None:
    positions: list[int] = []

    class Ours(wrapper):  # type: ignore[misc, valid-type]
        def __init__(self, file: Any) -> None:
            positions.append(file.tell())
            super().__init__(io.BytesIO(file.read(5)))
            file.close()

    environ = {"wsgi.file_wrapper": Ours, "udist.capabilities": frozenset()}
    answer = client.request("GET", blob, {"Range": "bytes=5-9"}, environ=environ)
    assert answer.content == CONTENT[5:10]
    in_files = "filesystem" in request.node.callspec.params.values()
    assert positions == ([5] if in_files else [])


class Redirecting(RegistryWrapper):
    url = "https://bucket.example/key?signature=1"

    def locate_blob(self, name: str, digest: Digest) -> str | None:
        self.resolve_blob(name, digest)
        return self.url


def test_redirects_only_callers_that_can_follow(registry: Registry) -> None:
    client = Client(Application(Redirecting(registry)))
    digest = push_blob(client, "a", b"content")
    target = f"/v2/a/blobs/{digest}"
    assert client.get(target).status == 200
    assert client.get(target, range="bytes=0-1").status == 206
    answer = client.request("GET", target, environ=CAN_REDIRECT)
    assert (answer.status, answer.field("location")) == (307, Redirecting.url)
    missing = client.request("GET", f"/v2/a/blobs/{MISSING}", environ=CAN_REDIRECT)
    assert missing.status == 404


def test_a_url_that_breaks_the_line_is_never_sent(registry: Registry) -> None:
    redirecting = Redirecting(registry)
    redirecting.url = "https://bucket.example/\r\nSet-Cookie: a=b"
    client = Client(Application(redirecting), CAN_REDIRECT)
    digest = push_blob(client, "a", b"content")
    answer = client.get(f"/v2/a/blobs/{digest}")
    assert (answer.status, answer.code) == (500, "UNKNOWN")
    assert "is not a field value" in answer.log
    assert b"bucket" not in answer.content
