from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from udist_plugin.drivers import open_driver
from udist_plugin.errors import BlobUnknown, Unsupported
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX
from udist_plugin.remote.wsgi import WSGITransport
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers.read_only import NoDeleteRegistry, ReadOnlyRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.registry import Registry

BLOB = Digest.of(b"blob")
INDEX = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
MANIFEST = Digest.of(INDEX)


@pytest.fixture
def inner() -> Registry:
    registry = StorageRegistry(open_driver("inmemory", {}, scratch=paths.SCRATCH))
    registry.push_blob("a", BLOB, io.BytesIO(b"blob"))
    registry.push_manifest("a", Manifest.parse(INDEX, OCI_INDEX), ["v1"])
    return registry


def assert_all_there(registry: Registry) -> None:
    with registry.open_blob("a", BLOB) as content:
        assert content.read() == b"blob"
    assert registry.get_manifest("a", "v1").content == INDEX
    assert registry.list_tags("a").items == ["v1"]
    assert registry.list_repositories().items == ["a"]
    assert registry.list_referrers("a", MANIFEST).items == []


def test_read_only_refuses_every_change_and_answers(inner: Registry) -> None:
    registry = ReadOnlyRegistry(inner)
    upload = inner.start_upload("a")
    changes: list[Callable[[], object]] = [
        lambda: registry.mount_blob("b", BLOB, "a"),
        lambda: registry.push_blob("a", Digest.of(b"more"), io.BytesIO(b"more")),
        lambda: registry.start_upload("a"),
        lambda: registry.resume_upload("a", upload.id),
        lambda: registry.push_manifest("a", Manifest.parse(INDEX, OCI_INDEX), ["v2"]),
        lambda: registry.delete_blob("a", BLOB),
        lambda: registry.delete_manifest("a", MANIFEST),
        lambda: registry.delete_tag("a", "v1"),
    ]
    for change in changes:
        with pytest.raises(Unsupported):
            change()
    assert_all_there(registry)


def test_no_delete_refuses_every_deletion(inner: Registry) -> None:
    registry = NoDeleteRegistry(inner)
    changes: list[Callable[[], object]] = [
        lambda: registry.delete_blob("a", BLOB),
        lambda: registry.delete_manifest("a", MANIFEST),
        lambda: registry.delete_tag("a", "v1"),
    ]
    for change in changes:
        with pytest.raises(Unsupported):
            change()
    assert_all_there(registry)
    registry.push_blob("a", Digest.of(b"more"), io.BytesIO(b"more"))
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("a", Digest.of(b"other"))


def test_a_refusal_is_405_over_http(inner: Registry) -> None:
    transport = WSGITransport(Application(ReadOnlyRegistry(inner)))
    for method, target, allow in (
        ("POST", "/v2/a/blobs/uploads/", ""),
        ("POST", f"/v2/b/blobs/uploads/?mount={BLOB}&from=a", ""),
        ("PUT", "/v2/a/manifests/v1", "GET, HEAD, DELETE"),
        ("DELETE", "/v2/a/manifests/v1", "GET, HEAD, PUT"),
        ("DELETE", f"/v2/a/blobs/{BLOB}", "GET, HEAD"),
    ):
        with transport.request(method, target, body=INDEX) as response:
            assert response.status == 405
            assert response.header("allow") == allow
            assert b'"UNSUPPORTED"' in response.read()
    with transport.request("GET", "/v2/a/manifests/v1") as response:
        assert response.read() == INDEX
