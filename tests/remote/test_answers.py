"""Error answers, and registries that answer wrongly."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.http_api.memory import MemoryRegistry
from tests.remote.scripted import answering
from udist_plugin import errors
from udist_plugin.content import CHUNK_SIZE, lends_chunks
from udist_plugin.errors import RegistryError
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX, OCI_MANIFEST
from udist_plugin.remote.reading import RemoteContent
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

DATA = b"some content"
DIGEST = Digest.of(DATA)


def body(code: str, message: str = "", detail: object = None) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message, "detail": detail}]}).encode()


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (404, b"", errors.BlobUnknown),
        (401, b"", errors.Unauthorized),
        (403, b"<html>", errors.Denied),
        (405, b'{"errors": []}', errors.Unsupported),
        (429, b"{}", errors.TooManyRequests),
        (503, b"[]", errors.Unavailable),
        (400, body("NAME_INVALID"), errors.NameInvalid),
        (404, body("NAME_UNKNOWN"), errors.NameUnknown),
        (413, body("SIZE_INVALID"), errors.ManifestTooLarge),
        (400, body("SIZE_INVALID"), errors.SizeInvalid),
        (400, b'{"errors": [7]}', RegistryError),
        (500, b'{"errors": {"a": 1}}', RegistryError),
        (500, b"[" * 60000, RegistryError),
    ],
)
def test_an_error_is_what_its_body_or_status_says(
    status: int, content: bytes, kind: type[RegistryError]
) -> None:
    with pytest.raises(RegistryError) as raised:
        answering(status, content).open_blob("a", DIGEST)
    assert type(raised.value) is kind


def test_an_error_keeps_the_registrys_words() -> None:
    with pytest.raises(RegistryError) as raised:
        answering(418, body("TEAPOT", "short and stout", {"handle": True})).open_blob("a", DIGEST)
    assert (raised.value.code, raised.value.message, raised.value.detail) == (
        "TEAPOT",
        "short and stout",
        {"handle": True},
    )


def test_wrong_bytes_are_noticed_at_their_end() -> None:
    wrong = b"other content"[: len(DATA)]
    with answering(200, wrong, content_length=str(len(wrong))).open_blob("a", DIGEST) as content:
        assert content.read(5) == wrong[:5]
        with pytest.raises(errors.DigestInvalid, match="not match its digest"):
            content.read()


def test_missing_bytes_are_noticed() -> None:
    with (
        answering(200, DATA[:5], content_length=str(len(DATA))).open_blob("a", DIGEST) as content,
        pytest.raises(errors.StreamReset, match="7 bytes before"),
    ):
        content.read()


def test_a_transport_that_does_not_notice_is_noticed() -> None:
    class Short:
        def read(self, size: int = -1, /) -> bytes:
            return b""

    with pytest.raises(errors.SizeInvalid, match="'received': 0"):
        RemoteContent(Short(), 5).read()  # type: ignore[arg-type]


def test_a_registry_may_ignore_a_filter() -> None:
    items = [
        {"mediaType": OCI_MANIFEST, "digest": Digest.of(kind.encode()), "size": 1, "artifactType": kind}
        for kind in ("a/one", "a/two")
    ]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": items}).encode()
    found = answering(200, index).list_referrers("a", DIGEST, "a/two").items
    assert [item.artifact_type for item in found] == ["a/two"]


def test_a_blob_without_a_length_is_refused() -> None:
    with pytest.raises(errors.SizeInvalid, match="no valid Content-Length"):
        answering(200, DATA).open_blob("a", DIGEST)


@pytest.mark.parametrize(("start", "end"), [(0, 4), (3, 7), (3, None), (4, 4), (5, 100)])
def test_a_registry_may_ignore_a_range(start: int, end: int | None) -> None:
    with answering(200, DATA, content_length=str(len(DATA))).open_blob("a", DIGEST, start, end) as content:
        assert content.size == len(DATA[start:end])
        assert content.read() == DATA[start:end]


def test_another_manifest_than_asked_for_is_refused() -> None:
    with pytest.raises(errors.DigestInvalid):
        answering(200, b"{}").get_manifest("a", DIGEST)
    with pytest.raises(errors.DigestInvalid):
        answering(200, b"{}", docker_content_digest=DIGEST).get_manifest("a", "v1")


def test_a_manifest_without_a_stated_digest_is_hashed() -> None:
    found = answering(200, b"{}", content_type="application/x").resolve_manifest("a", "v1")
    assert found.digest == Digest.of(b"{}")


def test_an_endless_manifest_is_refused() -> None:
    with pytest.raises(errors.SizeInvalid, match="too large"):
        answering(200, b" " * ((4 << 20) + 1)).get_manifest("a", "v1")


def test_a_push_under_another_digest_is_noticed() -> None:
    remote = answering(201, docker_content_digest=Digest.of(b"else"))
    with pytest.raises(errors.DigestInvalid):
        remote.push_manifest("a", Manifest(DATA, "application/x", DIGEST))


def test_a_session_needs_a_location() -> None:
    with pytest.raises(RegistryError, match="has no Location"):
        answering(202).push_blob("a", DIGEST, io.BytesIO(DATA))


@pytest.mark.parametrize("value", ["5-9", "0-", "0-x", "0--1", "bytes 0-9"])
def test_a_session_needs_a_sane_range(value: str) -> None:
    with pytest.raises(errors.RangeInvalid):
        answering(202, location="/v2/a/blobs/uploads/1", range=value).start_upload("a")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"tags": 1}', b'{"tags": [1]}', b'{"name": "a"}', b"\xff"])
def test_a_list_must_be_one(content: bytes) -> None:
    with pytest.raises(RegistryError, match="invalid list"):
        answering(200, content).list_tags("a")


def test_a_list_that_links_in_a_circle_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.remote.pages.PAGES_MAX", 5)
    remote = answering(200, b'{"tags": []}', link='</v2/a/tags/list?n=1>; rel="next"')
    with pytest.raises(RegistryError, match="too many pages"):
        remote.list_tags("a")


def test_a_registry_that_takes_no_blob_with_its_first_request_is_asked_once() -> None:
    """The specification lets it begin a session instead; then small blobs are not sent twice each."""
    asked: list[tuple[str, str, int]] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        content = environ["wsgi.input"].read()
        asked.append((environ["REQUEST_METHOD"], environ["QUERY_STRING"].partition("=")[0], len(content)))
        if environ["REQUEST_METHOD"] == "POST":
            start_response("202 Accepted", [("Location", "/v2/a/blobs/uploads/1")])
        else:
            start_response("201 Created", [])
        return []

    registry = RemoteRegistry(WSGITransport(application))
    for _ in range(2):
        registry.push_blob("a", DIGEST, io.BytesIO(DATA))
    size = len(DATA)
    first = [("POST", "digest", size), ("PUT", "digest", size)]
    assert asked == [*first, ("POST", "", 0), ("PUT", "digest", size)]


def test_a_small_blob_needs_one_request_where_the_registry_takes_it() -> None:
    asked: list[str] = []
    inner = Application(MemoryRegistry())

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked.append(environ["REQUEST_METHOD"])
        return inner(environ, start_response)

    registry = RemoteRegistry(WSGITransport(application))
    registry.push_blob("a", DIGEST, io.BytesIO(DATA))
    assert asked == ["POST"]
    assert registry.resolve_blob("a", DIGEST).size == len(DATA)


def test_lent_content_stays_as_it_is_until_it_is_released() -> None:
    registry = RemoteRegistry(WSGITransport(Application(MemoryRegistry())))
    data = b"".join(bytes([number]) * CHUNK_SIZE for number in range(4)) + b"the end"
    registry.push_blob("a", Digest.of(data), io.BytesIO(data))
    with registry.open_blob("a", Digest.of(data)) as content:
        assert lends_chunks(content)
        first = content.next_chunk()
        second = content.next_chunk()
        assert first and second
        assert (first.view[0], second.view[0]) == (0, 1)
        first.release()
        third = content.next_chunk()
        assert third
        assert (second.view[0], third.view[0]) == (1, 2)
        rest = [bytes(chunk.view) for chunk in iter(content.next_chunk, None) if chunk]
    assert [len(piece) for piece in rest] == [CHUNK_SIZE, len(b"the end")]
