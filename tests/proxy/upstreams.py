"""Upstreams that remember what they are asked, and registries that are caches of them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from tests.http_api.images import ALL, CONFIG, descriptor, image, index
from tests.http_api.wsgi import Client
from tests.remote.serving import Answer, Asked, serving
from tests.storage.stock import Stock, running
from tests.storage.stock import serving as stock_serving
from udist_plugin import create_app
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_INDEX, OCI_LAYER_TAR, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Send = Callable[[str, str, bytes, Mapping[str, str]], Answer]

NAME = "library/app"
LAYER = bytes(range(256)) * 2000
SMALL = b"0123456789"
RANGED = b"ranged" * 100
IMAGE = image(layers=[descriptor(LAYER, OCI_LAYER_TAR), descriptor(SMALL, OCI_LAYER_TAR)])
OTHER = image(layers=[descriptor(SMALL, OCI_LAYER_TAR)])
INDEX = index(descriptor(IMAGE, OCI_MANIFEST, platform={"architecture": "amd64", "os": "linux"}))
ACCEPT = {"Accept": ALL}


class Forwarding:
    """Answers what the registry at ``address`` does, or ``trouble`` while there is any. ``asked`` are its
    requests so far, but for those of the base."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.trouble: Answer | None = None
        self.asked: list[str] = []
        self.hold: Callable[[Asked], None] = lambda _: None

    def answer(self, asked: Asked) -> Answer:
        if asked.target != "/v2/":
            self.asked.append(f"{asked.method} {asked.target}")
        self.hold(asked)
        if self.trouble is not None:
            return self.trouble
        return forwarded(self._address, asked)

    def taken(self) -> list[str]:
        """What was asked since this was called last."""
        asked, self.asked = self.asked, []
        return asked


def forwarded(address: str, asked: Asked) -> Answer:
    connection = HTTPConnection(address, timeout=30)
    try:
        passed = {key: value for key, value in asked.headers.items() if key in ("accept", "range")}
        connection.request(asked.method, asked.target, asked.body, passed)
        response = connection.getresponse()
        kept = ("content-type", "docker-content-digest", "link", "content-range", "www-authenticate")
        headers = [(key.lower(), value) for key, value in response.getheaders() if key.lower() in kept]
        if asked.method == "HEAD":
            headers.append(("content-length", response.getheader("content-length", "0")))
        return Answer(response.status, headers, response.read())
    finally:
        connection.close()


@contextmanager
def upstream(folder: Path, program: str = "registry") -> Iterator[tuple[Forwarding, str]]:
    """A stock registry with images in it, behind what remembers its requests, and its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    with stock_serving(folder / "store", folder / "upstream.yml", program) as stock:
        fill(stock)
        forwarding = Forwarding(stock.address)
        with serving(forwarding.answer) as served:
            yield forwarding, f"http://127.0.0.1:{served.port}"


def fill(stock: Stock) -> None:
    for content in (CONFIG, LAYER, SMALL, RANGED):
        stock.push_blob(NAME, Digest.of(content), content)
    stock.push_blob("library/other", Digest.of(SMALL), SMALL)
    for tag, content, kind in (
        ("v1", IMAGE, OCI_MANIFEST),
        ("v2", OTHER, OCI_MANIFEST),
        ("all", INDEX, OCI_INDEX),
    ):
        put_manifest(stock, tag, content, kind)


def put_manifest(stock: Stock, tag: str, content: bytes, kind: str = OCI_MANIFEST) -> None:
    answer = stock.request("PUT", f"/v2/{NAME}/manifests/{tag}", content, {"Content-Type": kind})
    assert answer.status == 201, answer


def configuration(url: str, root: Path, **proxy: Any) -> dict[str, Any]:
    return {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(root)}, "delete": {"enabled": True}},
        "http": {"addr": "127.0.0.1:0", "secret": "a test"},
        "proxy": {"remoteurl": url, **proxy},
    }


def is_stored(root: Path, digest: Digest, name: str = NAME) -> bool:
    """Whether a repository of the store links to a blob."""
    layers = root / f"docker/registry/v2/repositories/{name}/_layers"
    return (layers / digest.replace(":", "/") / "link").exists()


@contextmanager
def stock_proxy(configured: dict[str, Any], file: Path, program: str = "registry") -> Iterator[Send]:
    """Distribution as a cache."""
    file.write_text(json.dumps(configured))
    with running(program, file) as server:

        def send(method: str, target: str, content: bytes, fields: Mapping[str, str]) -> Answer:
            answer = server.request(method, target, content, dict(fields))
            return Answer(answer.status, list(answer.headers.items()), answer.content)

        yield send


@contextmanager
def udist_proxy(configured: dict[str, Any]) -> Iterator[Send]:
    with create_app(configured, {}) as app:
        client = Client(app)

        def send(method: str, target: str, content: bytes, fields: Mapping[str, str]) -> Answer:
            answer = client.request(method, target, fields, content)
            return Answer(answer.status, list(answer.fields), answer.content)

        yield send


class Scripted:
    """A registry that answers from memory, for any repository: ``contents`` are blobs, and manifests by
    digest and by tag, each with its media type, by the end of the target. ``answers`` are given first."""

    def __init__(self, *blobs: bytes, **manifests: bytes) -> None:
        self.contents: dict[str, tuple[bytes, str]] = {}
        for blob in blobs:
            self.contents[f"blobs/{Digest.of(blob)}"] = blob, "application/octet-stream"
        for tag, manifest in manifests.items():
            for reference in (tag, Digest.of(manifest)):
                self.contents[f"manifests/{reference}"] = manifest, json.loads(manifest)["mediaType"]
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []

    def answer(self, asked: Asked) -> Answer:
        if asked.target == "/v2/":
            return Answer(200)
        path, _, query = asked.target.partition("?")
        target = "/".join(path.split("/")[-2:])
        self.asked.append(f"{asked.method} {target}" + (f"?{query}" if query else ""))
        if self.answers.get(target):
            return self.answers[target].pop(0)
        if target not in self.contents:
            return Answer(404)
        content, kind = self.contents[target]
        fields = [("content-type", kind), ("docker-content-digest", Digest.of(content))]
        if (asked_for := asked.headers.get("range")) and asked.method == "GET":
            first, _, last = asked_for.removeprefix("bytes=").partition("-")
            return Answer(206, fields, content[int(first) : int(last) + 1 if last else None])
        if asked.method == "HEAD":
            fields.append(("content-length", str(len(content))))
        return Answer(200, fields, content)


@contextmanager
def scripted(upstream: Scripted) -> Iterator[str]:
    """Its URL."""
    with serving(upstream.answer) as served:
        yield f"http://127.0.0.1:{served.port}"
