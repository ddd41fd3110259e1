"""distribution v3 and a plugin on one bucket: what either writes the other has, also below a root."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.storage.many.conftest import bucket, plugins
from tests.storage.samples import image, index, push, push_image, read_blob
from tests.storage.stock import Stock, running
from udist_plugin.drivers import open_driver
from udist_plugin.errors import BlobUnknown, ManifestUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drivers.s3.server import S3Server
    from udist_plugin.registry import Registry

EMPTY = b"{}"
LAYERS = [b"a small layer", os.urandom(11 << 20)]
"""The second has more than one of S3's parts."""
IMAGES = [image(layer) for layer in LAYERS]
INDEX = index(*IMAGES)


class Pair(NamedTuple):
    stock: Stock
    udist: Registry


@pytest.fixture(scope="module", params=["", "/below/a-root"], ids=["at-the-top", "below-a-root"])
def pair(
    request: pytest.FixtureRequest, minio_server: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Both with the same configuration, and the root from the same variable."""
    storage = {**bucket(minio_server, ""), "delete": {"enabled": True}, "redirect": {"disable": True}}
    environ = {"REGISTRY_STORAGE_S3_ROOTDIRECTORY": request.param} if request.param else {}
    configuration = {
        "version": 0.1,
        "storage": storage,
        "http": {"addr": "127.0.0.1:0", "secret": "a test"},
    }
    config = tmp_path_factory.mktemp("distribution") / "config.yml"
    config.write_text(json.dumps(configuration))  # which is YAML
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        with running("registry", config) as stock, plugins(configuration, 1, environ=environ) as (udist,):
            yield Pair(stock, udist)
    driver = open_driver("s3", storage["s3"], scratch=paths.SCRATCH)
    assert driver.list("/") == ["below" if request.param else "docker"]


def stock_pushes(stock: Stock, name: str) -> None:
    for blob in (EMPTY, *LAYERS):
        stock.push_blob(name, Digest.of(blob), blob)
    for document in IMAGES:
        stock.push_manifest(name, document, document.digest)
    stock.push_manifest(name, INDEX, "multi")
    stock.push_manifest(name, IMAGES[0], "v1")


def udist_pushes(udist: Registry, name: str) -> None:
    for layer in LAYERS:
        push_image(udist, name, layer)
    push(udist, name, INDEX, "multi")
    push(udist, name, IMAGES[0], "v1")


def udist_has(udist: Registry, name: str) -> None:
    assert name in udist.list_repositories().items
    assert udist.list_tags(name).items == ["multi", "v1"]
    assert udist.get_manifest(name, "multi").content == INDEX.content
    for document in (*IMAGES, INDEX):
        assert udist.get_manifest(name, document.digest).content == document.content
    for layer in LAYERS:
        assert udist.resolve_blob(name, Digest.of(layer)).size == len(layer)
        assert read_blob(udist, name, Digest.of(layer)) == layer


def stock_has(stock: Stock, name: str) -> None:
    assert name in stock.repositories()
    assert stock.tags(name) == ["multi", "v1"]
    assert stock.manifest(name, "multi").content == INDEX.content
    for document in (*IMAGES, INDEX):
        assert stock.manifest(name, document.digest).content == document.content
    for layer in LAYERS:
        assert stock.blob(name, Digest.of(layer)).content == layer


def test_each_has_what_the_other_pushed(pair: Pair) -> None:
    stock_pushes(pair.stock, "from/stock")
    udist_has(pair.udist, "from/stock")
    udist_pushes(pair.udist, "from/udist")
    stock_has(pair.stock, "from/udist")


def test_both_push_into_one_repository(pair: Pair) -> None:
    pair.stock.push_blob("both", Digest.of(EMPTY), EMPTY)
    pair.stock.push_blob("both", Digest.of(LAYERS[0]), LAYERS[0])
    push(pair.udist, "both", IMAGES[0], "v1")
    assert pair.stock.manifest("both", "v1").content == IMAGES[0].content
    pair.udist.push_blob("both", Digest.of(LAYERS[1]), io.BytesIO(LAYERS[1]))
    pair.stock.push_manifest("both", IMAGES[1], IMAGES[1].digest)
    pair.stock.push_manifest("both", INDEX, "multi")
    udist_has(pair.udist, "both")
    stock_has(pair.stock, "both")


def test_each_moves_the_others_tags(pair: Pair) -> None:
    stock_pushes(pair.stock, "tags")
    push(pair.udist, "tags", IMAGES[1], "v1")
    assert pair.stock.manifest("tags", "v1").content == IMAGES[1].content
    pair.stock.push_manifest("tags", IMAGES[0], "v1")
    assert pair.udist.get_manifest("tags", "v1").content == IMAGES[0].content
    pair.udist.delete_tag("tags", "v1")
    assert pair.stock.manifest("tags", "v1").status == 404
    assert pair.stock.tags("tags") == ["multi"]
    push(pair.udist, "tags", IMAGES[0], "v1")
    assert pair.stock.request("DELETE", "/v2/tags/manifests/v1").status == 202
    with pytest.raises(ManifestUnknown):
        pair.udist.get_manifest("tags", "v1")
    assert pair.udist.list_tags("tags").items == ["multi"]


def test_each_deletes_what_the_other_pushed(pair: Pair) -> None:
    stock_pushes(pair.stock, "stock/deleted")
    layer = Digest.of(LAYERS[0])
    pair.udist.delete_manifest("stock/deleted", IMAGES[0].digest)
    pair.udist.delete_blob("stock/deleted", layer)
    assert pair.stock.manifest("stock/deleted", IMAGES[0].digest).status == 404
    assert pair.stock.blob("stock/deleted", layer).status == 404
    assert pair.stock.tags("stock/deleted") == ["multi"]
    udist_pushes(pair.udist, "udist/deleted")
    digest = IMAGES[0].digest
    assert pair.stock.request("DELETE", f"/v2/udist/deleted/manifests/{digest}").status == 202
    assert pair.stock.request("DELETE", f"/v2/udist/deleted/blobs/{layer}").status == 202
    with pytest.raises(ManifestUnknown):
        pair.udist.resolve_manifest("udist/deleted", "v1")
    with pytest.raises(BlobUnknown):
        pair.udist.resolve_blob("udist/deleted", layer)
    assert pair.udist.list_tags("udist/deleted").items == ["multi"]
