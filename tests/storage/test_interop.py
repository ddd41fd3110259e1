"""One folder, two implementations: what either writes the other reads, lists and deletes, also meanwhile."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import Document, image, index, push, push_image, read_blob
from tests.storage.stock import Stock, collect_garbage, serving
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import BlobUnknown, ManifestUnknown, NameUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import Page
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.upkeep.purge import purge_uploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMPTY = b"{}"
LAYERS = [b"first layer", b"second layer" * 200_000]
IMAGES = [image(layer) for layer in LAYERS]
INDEX = index(*IMAGES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def registry(root: Path) -> StorageRegistry:
    return StorageRegistry(FilesystemDriver(str(root), paths.SCRATCH))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.yml"


@pytest.fixture
def stock(root: Path, config: Path) -> Iterator[Stock]:
    with serving(root, config) as stock:
        yield stock


def stock_pushes(stock: Stock, name: str) -> None:
    for blob in (EMPTY, *LAYERS):
        stock.push_blob(name, Digest.of(blob), blob)
    for document in IMAGES:
        stock.push_manifest(name, document, document.digest)
    stock.push_manifest(name, INDEX, "multi")
    stock.push_manifest(name, IMAGES[0], "v1")


def udist_pushes(registry: StorageRegistry, name: str) -> None:
    for layer in LAYERS:
        push_image(registry, name, layer)
    push(registry, name, INDEX, "multi")
    push(registry, name, IMAGES[0], "v1")


def check_udist_reads(registry: StorageRegistry, name: str) -> None:
    for target, document in (("multi", INDEX), ("v1", IMAGES[0]), *((item.digest, item) for item in IMAGES)):
        assert registry.get_manifest(name, target) == (document.content, document.media_type, document.digest)
        assert registry.resolve_manifest(name, target).size == len(document.content)
    for blob in (EMPTY, *LAYERS):
        assert registry.resolve_blob(name, Digest.of(blob)).size == len(blob)
        assert read_blob(registry, name, Digest.of(blob)) == blob
    assert registry.list_tags(name) == Page(["multi", "v1"])
    assert name in registry.list_repositories().items


def check_stock_reads(stock: Stock, name: str) -> None:
    def check(target: str, document: Document) -> None:
        answer = stock.manifest(name, target)
        assert answer.status == 200, answer
        assert answer.content == document.content
        assert answer.headers["content-type"] == document.media_type
        assert answer.headers["docker-content-digest"] == document.digest

    check("multi", INDEX)
    check("v1", IMAGES[0])
    for document in IMAGES:
        check(document.digest, document)
    for blob in (EMPTY, *LAYERS):
        answer = stock.blob(name, Digest.of(blob))
        assert (answer.status, answer.content) == (200, blob)
    assert stock.tags(name) == ["multi", "v1"]
    assert name in stock.repositories()


def test_udist_reads_and_deletes_what_stock_pushed(registry: StorageRegistry, stock: Stock) -> None:
    stock_pushes(stock, "team/app")
    check_udist_reads(registry, "team/app")
    registry.delete_tag("team/app", "v1")
    assert stock.tags("team/app") == ["multi"]
    assert stock.manifest("team/app", "v1").status == 404
    assert stock.manifest("team/app", IMAGES[0].digest).status == 200
    registry.delete_manifest("team/app", INDEX.digest)
    assert stock.tags("team/app") == []
    assert stock.manifest("team/app", "multi").status == 404
    assert stock.manifest("team/app", INDEX.digest).status == 404
    registry.delete_blob("team/app", Digest.of(LAYERS[1]))
    assert stock.blob("team/app", Digest.of(LAYERS[1])).status == 404
    stock_pushes(stock, "team/app")
    check_udist_reads(registry, "team/app")


def test_stock_reads_and_deletes_what_udist_pushed(registry: StorageRegistry, stock: Stock) -> None:
    udist_pushes(registry, "team/app")
    check_stock_reads(stock, "team/app")
    for target in (f"manifests/{IMAGES[0].digest}", f"blobs/{Digest.of(LAYERS[0])}"):
        answer = stock.request("DELETE", f"/v2/team/app/{target}")
        assert answer.status == 202, answer
    for target in (IMAGES[0].digest, "v1"):
        with pytest.raises(ManifestUnknown):
            registry.get_manifest("team/app", target)
    with pytest.raises(BlobUnknown):
        registry.resolve_blob("team/app", Digest.of(LAYERS[0]))
    assert registry.list_tags("team/app") == Page(["multi"])
    udist_pushes(registry, "team/app")
    check_stock_reads(stock, "team/app")


def test_stock_takes_turns_with_udist_on_one_repository(registry: StorageRegistry, stock: Stock) -> None:
    """Both run on the folder all the time, and each sees at once what the other did."""
    udist_pushes(registry, "app")
    for number in range(5):
        document = image(b"turn %d" % number)
        layer = b"turn %d" % number
        stock.push_blob("app", Digest.of(layer), layer)
        stock.push_manifest("app", document, "latest")
        assert registry.get_manifest("app", "latest").content == document.content
        document = push_image(registry, "app", b"answer %d" % number, tags=["latest"])
        assert stock.manifest("app", "latest").content == document.content
    registry.mount_blob("other", Digest.of(LAYERS[0]), "app")
    assert stock.blob("other", Digest.of(LAYERS[0])).content == LAYERS[0]
    answer = stock.request("POST", f"/v2/third/blobs/uploads/?mount={Digest.of(LAYERS[1])}&from=app")
    assert answer.status == 201
    assert read_blob(registry, "third", Digest.of(LAYERS[1])) == LAYERS[1]


def test_udist_goes_on_with_an_upload_of_stock(registry: StorageRegistry, stock: Stock) -> None:
    target = stock.start_upload("app")
    answer = stock.request("PATCH", target, LAYERS[1][:1000])
    assert answer.status == 202, answer
    upload = registry.resume_upload("app", answer.headers["docker-upload-uuid"])
    assert upload.offset == 1000
    upload.write(io.BytesIO(LAYERS[1][1000:]))
    upload.commit(Digest.of(LAYERS[1]))
    assert stock.blob("app", Digest.of(LAYERS[1])).content == LAYERS[1]


def test_udist_purges_an_upload_of_stock(registry: StorageRegistry, stock: Stock) -> None:
    stock.start_upload("app")
    assert purge_uploads(registry.driver, 3600).paths == []
    assert len(purge_uploads(registry.driver, -60).paths) == 1
    assert registry.driver.list(paths.uploads("app")) == []


def test_stock_reads_sha512(registry: StorageRegistry, stock: Stock) -> None:
    digest = Digest.of(LAYERS[0], "sha512")
    registry.push_blob("app", digest, io.BytesIO(LAYERS[0]))
    assert stock.blob("app", digest).content == LAYERS[0]
    document = image(LAYERS[0], algorithm="sha512")
    push(registry, "app", document, "v1")
    assert stock.manifest("app", document.digest).content == document.content
    assert stock.manifest("app", "v1").content == document.content


def test_referrers_that_stock_took_are_found(registry: StorageRegistry, stock: Stock) -> None:
    stock_pushes(stock, "app")
    signature = image(subject=IMAGES[0], artifact_type="a/signature")
    stock.push_manifest("app", signature, signature.digest)
    found = registry.list_referrers("app", IMAGES[0].digest).items
    assert [descriptor.digest for descriptor in found] == [signature.digest]
    stock.request("DELETE", f"/v2/app/manifests/{signature.digest}")
    assert registry.list_referrers("app", IMAGES[0].digest).items == []


def test_the_stock_collector_keeps_what_udist_pushed(
    registry: StorageRegistry, root: Path, config: Path
) -> None:
    udist_pushes(registry, "team/app")
    sha512 = image(LAYERS[0], algorithm="sha512")
    push(registry, "team/app", sha512, "sha512")
    lone = index()
    push(registry, "lone", lone, "v1")
    push(registry, "untagged/index", lone)
    signature = image(subject=IMAGES[0], artifact_type="a/signature")
    push(registry, "team/app", signature)
    registry.push_blob("team/app", Digest.of(b"garbage"), io.BytesIO(b"garbage"))
    registry.start_upload("uploading").write(io.BytesIO(b"some"))
    for number in range(40):
        push(registry, "team/app", image(b"%d" % number, subject=IMAGES[0]))
    assert len(registry.list_referrers("team/app", IMAGES[0].digest).items) == 41
    assert registry.driver.exists(paths.subjects("team/app"))
    gone = push_image(registry, "team/app", b"gone")
    registry.delete_manifest("team/app", gone.digest)

    collect_garbage(root, config)

    for blob in (b"garbage", b"gone", gone.content):
        assert not registry.driver.exists(paths.blob_data(Digest.of(blob)))
    assert registry.get_manifest("team/app", "sha512").content == sha512.content
    registry.delete_tag("team/app", "sha512")
    check_udist_reads(registry, "team/app")
    assert registry.get_manifest("lone", "v1").content == lone.content
    assert registry.get_manifest("untagged/index", lone.digest).content == lone.content
    assert len(registry.list_referrers("team/app", IMAGES[0].digest).items) == 41
    with serving(root, config) as stock:
        check_stock_reads(stock, "team/app")
        assert stock.manifest("lone", "v1").content == lone.content


def test_tags_that_never_stood_are_unknown_to_both(registry: StorageRegistry, stock: Stock) -> None:
    registry.push_blob("app", Digest.of(EMPTY), io.BytesIO(EMPTY))
    push(registry, "app", image())
    assert stock.request("GET", "/v2/app/tags/list").status == 404
    with pytest.raises(NameUnknown):
        registry.list_tags("app")
    push(registry, "app", image(), "v1")
    registry.delete_tag("app", "v1")
    assert stock.request("GET", "/v2/app/tags/list").status == 200
    assert registry.list_tags("app") == Page([])
