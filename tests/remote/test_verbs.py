"""Every verb, against our own application and against the registry that Debian ships."""

from __future__ import annotations

import io
import json
import os

import pytest

from tests.http_api.memory import MemoryRegistry
from udist_plugin.errors import (
    BlobUnknown,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    RegistryError,
)
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport

DATA = bytes(range(256)) * 5000


class Unseekable:
    """Content that can only be read once, and does not say how long it is."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1, /) -> bytes:
        return self._data.read(size)


@pytest.fixture
def name() -> str:
    return f"team/project-{os.urandom(4).hex()}"


def push_image(remote: RemoteRegistry, name: str, *tags: str, text: str = "{}") -> Digest:
    config = text.encode()
    digest = remote.push_blob(name, Digest.of(config), io.BytesIO(config)).digest
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": digest, "size": len(config)},
            "layers": [],
        }
    ).encode()
    return remote.push_manifest(name, Manifest.parse(manifest, OCI_MANIFEST), tags).digest


@pytest.mark.parametrize("data", [b"small", DATA])
def test_a_name_stays_one_whatever_is_in_it(data: bytes) -> None:
    """It is no part of the query, for instance."""
    remote = RemoteRegistry(WSGITransport(Application(MemoryRegistry())))
    with pytest.raises(NameInvalid):
        remote.push_blob("a?b", Digest.of(data), io.BytesIO(data))


@pytest.mark.parametrize("kind", [io.BytesIO, Unseekable])
def test_a_pushed_blob_comes_back(remote: RemoteRegistry, name: str, kind: type[io.BytesIO]) -> None:
    digest = Digest.of(DATA)
    pushed = remote.push_blob(name, digest, kind(DATA))
    assert (pushed.digest, pushed.size) == (digest, len(DATA))
    assert remote.resolve_blob(name, digest).size == len(DATA)
    with remote.open_blob(name, digest) as content:
        assert content.size == len(DATA)
        assert content.read() == DATA
        assert content.read(10) == b""


def test_an_empty_blob_comes_back(remote: RemoteRegistry, name: str) -> None:
    digest = Digest.of(b"")
    remote.push_blob(name, digest, io.BytesIO())
    with remote.open_blob(name, digest) as content:
        assert (content.size, content.read()) == (0, b"")


@pytest.mark.parametrize(
    ("start", "end"), [(0, 10), (5, 5), (3, 2), (10, None), (0, 1 << 40), (len(DATA) - 1, None), (100, 101)]
)
def test_a_range_is_a_slice(remote: RemoteRegistry, name: str, start: int, end: int | None) -> None:
    digest = Digest.of(DATA)
    remote.push_blob(name, digest, io.BytesIO(DATA))
    with remote.open_blob(name, digest, start, end) as content:
        assert content.size == len(DATA[start:end])
        assert content.read() == DATA[start:end]


def test_wrong_bytes_are_refused(remote: RemoteRegistry, name: str) -> None:
    with pytest.raises(DigestInvalid, match="did not match"):
        remote.push_blob(name, Digest.of(b"other"), io.BytesIO(DATA))
    with pytest.raises(BlobUnknown):
        remote.resolve_blob(name, Digest.of(b"other"))


def test_a_deleted_blob_is_unknown(remote: RemoteRegistry, name: str) -> None:
    digest = Digest.of(DATA)
    remote.push_blob(name, digest, io.BytesIO(DATA))
    remote.delete_blob(name, digest)
    with pytest.raises(BlobUnknown):
        remote.open_blob(name, digest)
    with pytest.raises(BlobUnknown):
        remote.delete_blob(name, digest)


def test_a_mount_needs_the_blob(remote: RemoteRegistry, name: str) -> None:
    digest = Digest.of(DATA)
    remote.push_blob(name, digest, io.BytesIO(DATA))
    assert remote.mount_blob(f"{name}/other", digest, name).size == len(DATA)
    with remote.open_blob(f"{name}/other", digest) as content:
        assert content.read() == DATA
    with pytest.raises(BlobUnknown):
        remote.mount_blob(f"{name}/other", Digest.of(b"nowhere"), name)


def test_an_upload_is_resumed_in_chunks(remote: RemoteRegistry, name: str) -> None:
    upload = remote.start_upload(name)
    assert upload.offset == 0
    assert upload.write(io.BytesIO(DATA[:1])) == 1
    assert upload.write(io.BytesIO(DATA[1:1000])) == 1000
    assert upload.write(io.BytesIO()) == 1000
    upload.refresh()
    assert upload.write(Unseekable(DATA[1000:])) == len(DATA)
    digest = Digest.of(DATA)
    assert upload.commit(digest).size == len(DATA)
    with remote.open_blob(name, digest) as content:
        assert content.read() == DATA


def test_a_cancelled_upload_is_unknown(remote: RemoteRegistry, name: str) -> None:
    upload = remote.start_upload(name)
    upload.write(io.BytesIO(DATA))
    upload.cancel()
    with pytest.raises(BlobUploadUnknown):
        upload.refresh()
    with pytest.raises(BlobUploadUnknown):
        upload.commit(Digest.of(b"never pushed"))


def test_an_unknown_upload_is_not_resumed(remote: RemoteRegistry, name: str) -> None:
    with pytest.raises((BlobUploadUnknown, RegistryError)):
        remote.resume_upload(name, "0f2c2a4e-1111-4222-8333-444455556666")


def test_a_manifest_is_found_by_each_tag_and_digest(remote: RemoteRegistry, name: str) -> None:
    digest = push_image(remote, name, "v1", "latest")
    for target in (digest, "v1", "latest"):
        found = remote.get_manifest(name, target)
        assert (found.digest, found.media_type) == (digest, OCI_MANIFEST)
        assert Digest.of(found.content) == digest
        resolved = remote.resolve_manifest(name, target)
        assert (resolved.digest, resolved.media_type, resolved.size) == (
            digest,
            OCI_MANIFEST,
            len(found.content),
        )
    assert remote.list_tags(name).items == ["latest", "v1"]


def test_a_deleted_manifest_is_unknown(remote: RemoteRegistry, name: str) -> None:
    digest = push_image(remote, name, "v1")
    remote.delete_manifest(name, digest)
    for target in (digest, "v1"):
        with pytest.raises(ManifestUnknown):
            remote.get_manifest(name, target)
        with pytest.raises(ManifestUnknown):
            remote.resolve_manifest(name, target)


def test_lists_are_followed_to_their_end(remote: RemoteRegistry, name: str) -> None:
    tags = [f"t{number:02}" for number in range(7)]
    push_image(remote, name, *tags)
    assert remote.list_tags(name) == (tags, None)
    assert remote.list_tags(name, last="t04").items == ["t05", "t06"]
    assert name in remote.list_repositories().items
    assert len(remote.list_repositories(1).items) == 1
    assert remote.list_tags(name, 3) == (tags[:3], "t02")
    with pytest.raises(NameUnknown):
        remote.list_tags(f"{name}/nothing")


def test_pages_go_on_where_the_last_ended() -> None:
    remote = RemoteRegistry(WSGITransport(Application(MemoryRegistry())))
    tags = [f"t{number}" for number in range(5)]
    push_image(remote, "pages", *tags)
    assert remote.list_tags("pages", 2) == (tags[:2], "t1")
    assert remote.list_tags("pages", 2, "t1") == (tags[2:4], "t3")
    assert remote.list_tags("pages", 2, "t3") == (tags[4:], None)
    remote.delete_tag("pages", "t0")
    assert remote.list_tags("pages").items == tags[1:]


def test_referrers_are_listed_and_filtered() -> None:
    remote = RemoteRegistry(WSGITransport(Application(MemoryRegistry())))
    subject = push_image(remote, "refs", "v1")
    for kind in ("application/a", "application/b"):
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": OCI_INDEX,
                "artifactType": kind,
                "manifests": [],
                "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
            }
        ).encode()
        remote.push_manifest("refs", Manifest.parse(manifest, OCI_INDEX))
    kinds = {item.artifact_type for item in remote.list_referrers("refs", subject).items}
    assert kinds == {"application/a", "application/b"}
    assert [item.artifact_type for item in remote.list_referrers("refs", subject, "application/b").items] == [
        "application/b"
    ]
