"""Garbage collection on real services, where a move is a copy and a deletion."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.drivers.oss.server import oss
from tests.storage.samples import push, push_image, read_blob
from tests.storage.test_collection import DIGEST, GARBAGE, Store
from udist_plugin.drivers import open_driver
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths, stretches
from udist_plugin.storage.collection.collect import undo
from udist_plugin.storage.collection.walk import repositories, revision_links
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drivers.s3.server import S3Server
    from udist_plugin.drivers.base import StorageDriver


@pytest.fixture(params=["minio", "versitygw", "oss"])
def driver(request: pytest.FixtureRequest) -> Iterator[StorageDriver]:
    if request.param == "oss":
        with oss(request.getfixturevalue("minio_server")) as bucket:
            yield open_driver("oss", bucket.parameters(), scratch=paths.SCRATCH)
    else:
        server: S3Server = request.getfixturevalue(f"{request.param}_server")
        yield open_driver("s3", server.parameters(server.bucket()), scratch=paths.SCRATCH)


def test_garbage_on_an_object_store(driver: StorageDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = StorageRegistry(driver)
    store = Store(driver, monkeypatch)
    kept = push_image(registry, "a", b"kept")
    push(registry, "a", kept, "v1")
    other = Digest.of(b"other garbage")
    registry.push_blob("a", DIGEST, io.BytesIO(GARBAGE))
    registry.push_blob("a", other, io.BytesIO(b"other garbage"))
    both = sorted([DIGEST, other])
    assert store.collect(1.1) == {"quarantine": both}
    assert read_blob(registry, "a", DIGEST) == GARBAGE
    assert [step.digest for step in undo(driver)] == [other]
    assert store.collect(1.1) == {"delete": both, "quarantine": both}
    assert store.collect(1.1) == {"delete": both}
    assert store.collect(1.1) == {}
    assert registry.get_manifest("a", "v1").content == kept.content
    assert read_blob(registry, "a", Digest.of(b"kept")) == b"kept"
    assert driver.list(paths.OWN) == [paths.MARKS.rpartition("/")[2]]


def test_what_is_skipped_hides_nothing_else(minio_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a page of files in a-b, MinIO tells as of files behind a/b, leaves them out, and ends the list."""
    monkeypatch.setattr(stretches, "CROWD", 3)
    parameters = minio_server.parameters(minio_server.bucket())
    driver = open_driver("s3", parameters, scratch=paths.SCRATCH)
    digests = [Digest.of(b"%d" % number) for number in range(1200)]
    names = ["a/b", "a/c", "a0", "b"]
    links = [paths.link(paths.layer("a-b", digest)) for digest in digests]
    links += [paths.link(paths.layer(name, digest)) for name in names for digest in digests[:5]]
    revisions = [paths.link(paths.revision(name, digests[0])) for name in (*names, "a-b")]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda path: driver.put_content(path, b"a link"), links + revisions))
    assert sorted(each.link for each in revision_links(driver)) == sorted(revisions)
    assert sorted(repositories(driver)) == sorted([*names, "a-b"])
