"""The same requests to distribution 3 and to udist: the answers agree, but for what is listed here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.http_api.images import CONFIG, descriptor, image, index
from tests.http_api.wsgi import Client
from tests.storage.stock import Stock, running
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import (
    DOCKER_CONFIG,
    DOCKER_FOREIGN_LAYER,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    MANIFESTS,
    OCI_INDEX,
    OCI_LAYER_TAR,
    OCI_LAYER_TAR_GZIP,
    OCI_MANIFEST,
)
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers.validation import NONDISTRIBUTABLE_PREFIX, ValidatingRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOB = b"0123456789"
MISSING = Digest.of(b"missing")
IMAGE = image()


class Both:
    """distribution and udist, asked the same."""

    def __init__(self, stock: Stock, udist: Client) -> None:
        self.stock = stock
        self.udist = udist

    def statuses(
        self, method: str, target: str, content: bytes = b"", fields: dict[str, str] | None = None
    ) -> tuple[int, int]:
        """First distribution's, then ours."""
        theirs = self.stock.request(method, target, content, fields)
        return theirs.status, self.udist.request(method, target, fields, content).status

    def agree(self, method: str, target: str, **fields: str) -> int:
        """The status of both."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        theirs, ours = self.statuses(method, target, fields=named)
        assert ours == theirs
        return ours

    def put(self, name: str, tag: str, manifest: bytes, media_type: str) -> tuple[int, int]:
        return self.statuses("PUT", f"/v2/{name}/manifests/{tag}", manifest, {"Content-Type": media_type})

    def push_blobs(self, name: str) -> None:
        for content in (CONFIG, b"{}", BLOB):
            digest = Digest.of(content)
            self.stock.push_blob(name, digest, content)
            answer = self.udist.request("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", content=content)
            assert answer.status == 201


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    config = tmp_path_factory.mktemp("stock") / "config.yml"
    document = {
        "version": 0.1,
        "storage": {"inmemory": {}, "delete": {"enabled": True}},
        "validation": {"manifests": {"urls": {"allow": [".*"]}}},
        "http": {"addr": "127.0.0.1:0", "secret": "a test"},
    }
    config.write_text(json.dumps(document))
    registry = ValidatingRegistry(StorageRegistry(InMemoryDriver()))
    with running("registry", config) as stock:
        both = Both(stock, Client(Application(registry)))
        both.push_blobs("blobs/only")
        both.push_blobs("a")
        assert both.put("a", "v1", IMAGE, OCI_MANIFEST) == (201, 201)
        yield both


@pytest.mark.parametrize(
    "source",
    ["Some_Name", "localhost:5000/demo", "demo/", "demo:v1", "nowhere", "..", "", "a b", "x" * 300, "é"],
)
@pytest.mark.parametrize("digest", [MISSING, "sha256:zz", f"sha384:{'0' * 96}", "x", Digest.of(BLOB)])
def test_a_mount_that_cannot_be_begins_an_upload(both: Both, source: str, digest: str) -> None:
    target = f"/v2/b/blobs/uploads/?mount={digest}&from={quote(source)}"
    if digest == Digest.of(BLOB) and not source:  # mounted from wherever it is (distribution-spec, end-11)
        assert both.statuses("POST", target) == (202, 201)
    else:
        assert both.agree("POST", target) == 202


def test_a_mount(both: Both) -> None:
    assert both.agree("POST", f"/v2/c/blobs/uploads/?mount={Digest.of(BLOB)}&from=a") == 201


@pytest.mark.parametrize("last", ["9", "10", "999999999999999999", str(2**63 - 1)])
def test_a_last_position_beyond_the_end(both: Both, last: str) -> None:
    url = f"/v2/a/blobs/{Digest.of(BLOB)}"
    for field in (f"bytes=2-{last}", f"bytes=-{last}", f"bytes={last}-"):
        theirs = both.stock.request("GET", url, headers={"Range": field})
        ours = both.udist.get(url, range=field)
        assert (ours.status, ours.field("content-range")) == (theirs.status, theirs.headers["content-range"])
        assert ours.status == 416 or ours.content == theirs.content


@pytest.mark.parametrize("n", ["0", "1", "007", "1000", "1001", str(2**63 - 1), "-1", "x", " 5"])
def test_n_of_a_list_of_tags(both: Both, n: str) -> None:
    both.agree("GET", f"/v2/a/tags/list?n={quote(n)}")


@pytest.mark.parametrize("kind", ["blobs", "manifests"])
def test_304_has_no_content_type(both: Both, kind: str) -> None:
    digest = Digest.of(BLOB if kind == "blobs" else IMAGE)
    fields = {"If-None-Match": f'"{digest}"', "Accept": OCI_MANIFEST}
    theirs = both.stock.request("GET", f"/v2/a/{kind}/{digest}", headers=fields)
    ours = both.udist.request("GET", f"/v2/a/{kind}/{digest}", fields)
    assert ours.status == theirs.status == 304
    assert "content-type" not in theirs.headers
    assert (ours.field("content-type"), ours.field("etag")) == ("", f'"{digest}"')
    assert ours.field("cache-control") == theirs.headers.get("cache-control", "")


def test_a_repository_of_blobs_alone(both: Both) -> None:
    """distribution 2 lists it; 3 knows a repository by its manifests."""
    assert "blobs/only" not in both.stock.repositories()
    assert "blobs/only" not in both.udist.get("/v2/_catalog").json()["repositories"]
    for query in ("", "?n=5"):
        theirs = both.stock.request("GET", f"/v2/blobs/only/tags/list{query}")
        ours = both.udist.get(f"/v2/blobs/only/tags/list{query}")
        assert (ours.status, ours.json()) == (404, theirs.json())
        assert theirs.status == 404


@pytest.mark.parametrize("accept", [OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, "text/html", "*/*"])
def test_an_index_goes_to_everyone(both: Both, accept: str) -> None:
    assert both.put("a", "list", index(descriptor(IMAGE, OCI_MANIFEST)), OCI_INDEX) == (201, 201)
    for method in ("GET", "HEAD"):
        assert both.agree(method, "/v2/a/manifests/list", accept=accept) == 200
    assert both.udist.get("/v2/a/manifests/list", accept=accept).field("content-type") == OCI_INDEX


@pytest.mark.parametrize("accept", [OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, "text/html"])
def test_an_image_goes_to_those_who_take_it(both: Both, accept: str) -> None:
    for method in ("GET", "HEAD"):
        both.agree(method, "/v2/a/manifests/v1", accept=accept)


@pytest.mark.parametrize(
    "url",
    ["https://a/b", "HTTP://a/b", "ftp://a/b", "s3://bucket/key", "https://a/b#c", "https://a/b#", "", "x y"],
)
@pytest.mark.parametrize(
    "layer",
    [
        OCI_LAYER_TAR,
        OCI_LAYER_TAR_GZIP,
        "application/vnd.oci.image.layer.v1.tar+zstd",
        f"{NONDISTRIBUTABLE_PREFIX}tar",
        f"{NONDISTRIBUTABLE_PREFIX}tar+gzip",
        f"{NONDISTRIBUTABLE_PREFIX}tar+zstd",
        DOCKER_LAYER,
        DOCKER_FOREIGN_LAYER,
        "x/y",
    ],
)
@pytest.mark.parametrize("docker", [False, True], ids=["oci", "docker"])
def test_urls_of_layers(both: Both, docker: bool, layer: str, url: str) -> None:
    """Where distribution refuses it answers 500."""
    manifest = image(docker=docker, layers=[descriptor(BLOB, layer, urls=[url])])
    theirs, ours = both.put("a", "urls", manifest, DOCKER_MANIFEST if docker else OCI_MANIFEST)
    assert (ours == 201) == (theirs == 201), (theirs, ours)


SIZELESS = {name: value for name, value in descriptor(CONFIG, DOCKER_CONFIG).items() if name != "size"}
LAYER = descriptor(BLOB, OCI_LAYER_TAR)
LISTED = descriptor(IMAGE, OCI_MANIFEST)


def changed(number: int = 0, **more: Any) -> bytes:
    """An image whose only layer has other properties."""
    return image(layers=[LAYER | more], annotations={"number": str(number)})


TAKEN = {
    "no size in the config": (DOCKER_MANIFEST, image(docker=True, config=SIZELESS)),
    "no size in a layer": (OCI_MANIFEST, image(layers=[SIZELESS])),
    "size null": (OCI_MANIFEST, changed(size=None)),
    "wrong size": (OCI_MANIFEST, changed(size=77)),
    "annotations null": (OCI_MANIFEST, image(annotations=None)),
    "annotation null": (OCI_MANIFEST, image(annotations={"a": None})),
    "annotations null in a layer": (OCI_MANIFEST, changed(annotations=None)),
    "annotation null in a layer": (OCI_MANIFEST, changed(annotations={"a": None})),
    "mediaType null in a layer": (OCI_MANIFEST, changed(mediaType=None)),
    "artifactType null in a layer": (OCI_MANIFEST, changed(artifactType=None)),
    "urls null": (OCI_MANIFEST, changed(urls=None)),
    "platform null": (OCI_MANIFEST, changed(platform=None)),
    "layers null": (OCI_MANIFEST, image(layers=None)),
    "subject null": (OCI_MANIFEST, image(subject=None)),
    "subject without size": (OCI_MANIFEST, image(subject={"mediaType": OCI_MANIFEST, "digest": MISSING})),
    "artifactType null": (OCI_MANIFEST, image(artifactType=None)),
    "mediaType null": (OCI_MANIFEST, image(mediaType=None)),
    "mediaType empty": (OCI_MANIFEST, image(mediaType="")),
    "image with manifests null": (OCI_MANIFEST, image(manifests=None)),
    "index with config null": (OCI_INDEX, index(LISTED, config=None)),
    "index with layers null": (OCI_INDEX, index(LISTED, layers=None)),
    "index with manifests null": (OCI_INDEX, index(manifests=None)),
    "index with an entry without size": (OCI_INDEX, index(LISTED | {"size": None})),
    "not UTF-8": (OCI_MANIFEST, image(annotations={"author": "José"}).replace(b"\\u00e9", b"\xe9")),
    "half a surrogate pair": (OCI_MANIFEST, image(annotations={"author": "\ud800"})),
}

REFUSED = {
    "size a fraction": (OCI_MANIFEST, changed(size=1.5), "layers[0].size"),
    "size a text": (OCI_MANIFEST, changed(size="1"), "layers[0].size"),
    "size beyond 64 bits": (OCI_MANIFEST, changed(size=10**30), "layers[0].size"),
    "annotation a number": (OCI_MANIFEST, image(annotations={"a": 1}), "annotations"),
    "annotations a list": (OCI_MANIFEST, image(annotations=[]), "annotations"),
    "annotations a list in a layer": (OCI_MANIFEST, changed(annotations=[]), "layers[0].annotations"),
    "mediaType a number in a layer": (OCI_MANIFEST, changed(mediaType=5), "layers[0].mediaType"),
    "artifactType a number in a layer": (OCI_MANIFEST, changed(artifactType=5), "layers[0].artifactType"),
    "layer null": (OCI_MANIFEST, image(layers=[None]), "layers[0]"),
    "layers an object": (OCI_MANIFEST, image(layers={}), "layers"),
    "config null": (OCI_MANIFEST, image(config=None), "config"),
    "digest null": (OCI_MANIFEST, changed(digest=None), "layers[0].digest"),
    "digest a number": (OCI_MANIFEST, changed(digest=4), "layers[0].digest"),
    "digest of another algorithm": (OCI_MANIFEST, changed(digest=f"sha384:{'0' * 96}"), "layers[0].digest"),
    "digest in capitals": (OCI_MANIFEST, changed(digest=MISSING.upper()), "layers[0].digest"),
    "mediaType another": (OCI_MANIFEST, image(mediaType=DOCKER_MANIFEST), "mediaType"),
    "schemaVersion a fraction": (OCI_MANIFEST, image(schemaVersion=2.0), "schemaVersion"),
    "schemaVersion a text": (OCI_MANIFEST, image(schemaVersion="2"), "schemaVersion"),
    "schemaVersion null": (OCI_MANIFEST, image(schemaVersion=None), "schemaVersion"),
    "image with manifests": (OCI_MANIFEST, image(manifests=[]), "manifests"),
    "index with config": (OCI_INDEX, index(config={}), "config"),
    "index with layers": (OCI_INDEX, index(layers=[]), "layers"),
    "docker without mediaType": (DOCKER_MANIFEST, image(docker=True, mediaType=None), "mediaType"),
    "with a mark at its start": (OCI_MANIFEST, b"\xef\xbb\xbf" + IMAGE, "JSON"),
    "with something behind": (OCI_MANIFEST, IMAGE + b"x", "JSON"),
}

STRICTER = {
    "size negative": (OCI_MANIFEST, changed(size=-1), "layers[0].size"),
    "subject a text": (OCI_MANIFEST, image(subject="x"), "subject"),
    "subject with a bad digest": (OCI_MANIFEST, image(subject={"digest": "x", "size": 1}), "subject.digest"),
    "artifactType a number": (OCI_MANIFEST, image(artifactType=5), "artifactType"),
    "docker with manifests": (DOCKER_MANIFEST, image(docker=True, manifests=[]), "manifests"),
    "list with layers": (DOCKER_MANIFEST_LIST, index(media_type=DOCKER_MANIFEST_LIST, layers=[]), "layers"),
}
"""What only udist refuses; docs/differences.md says so."""


@pytest.mark.parametrize("case", TAKEN)
def test_what_both_take_and_serve(both: Both, case: str) -> None:
    media_type, content = TAKEN[case]
    assert both.put("a", "taken", content, media_type) == (201, 201)
    for answer in (
        both.stock.manifest("a", "taken"),
        both.udist.get("/v2/a/manifests/taken", accept=", ".join(MANIFESTS)),
    ):
        assert (answer.status, answer.content) == (200, content)


@pytest.mark.parametrize("case", REFUSED | STRICTER)
def test_what_is_refused_says_which_member(both: Both, case: str) -> None:
    media_type, content, member = (REFUSED | STRICTER)[case]
    theirs = both.stock.request("PUT", "/v2/a/manifests/refused", content, {"Content-Type": media_type})
    assert (theirs.status == 201) == (case in STRICTER), theirs
    ours = both.udist.request("PUT", "/v2/a/manifests/refused", {"Content-Type": media_type}, content)
    assert (ours.status, ours.code) in ((400, "MANIFEST_INVALID"), (400, "DIGEST_INVALID"))
    assert member in str(ours.json()["errors"][0]["detail"])
