"""A large store as stock registries write one: images in many repositories, and some garbage."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.store import LAYOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

REVISIONS = 100
"""Manifests of a repository."""
SHARED = 2
"""Layers that all images of a repository have in common."""
LAYER_SIZE = 20_000_000
"""Bytes that a layer is said to have; what stands there is a hole."""
TAGGED = 10
"""One manifest in so many has a tag."""
GARBAGE = 1000
"""One blob in so many is referred to by nothing."""


class File(NamedTuple):
    """A file of a store, by its path below ``docker/registry/v2``; without content one of ``size`` bytes."""

    path: str
    content: bytes | None
    size: int = 0


class Image(NamedTuple):
    """A manifest in a repository, and the digests of all that it refers to."""

    repository: str
    digest: str
    manifest: bytes
    blobs: list[str]

    def files(self, tag: str = "") -> Iterator[File]:
        for blob in self.blobs:
            yield File(data(blob), None, LAYER_SIZE)
            yield self._link(f"_layers/{place(blob)}", blob)
        yield File(data(self.digest), self.manifest)
        yield self._link(f"_manifests/revisions/{place(self.digest)}", self.digest)
        if tag:
            yield self._link(f"_manifests/tags/{tag}/index/{place(self.digest)}", self.digest)
            yield self._link(f"_manifests/tags/{tag}/current", self.digest)

    def _link(self, folder: str, digest: str) -> File:
        return File(f"repositories/{self.repository}/{folder}/link", digest.encode())


def place(digest: str) -> str:
    return digest.replace(":", "/")


def data(digest: str) -> str:
    encoded = digest.removeprefix("sha256:")
    return f"blobs/sha256/{encoded[:2]}/{encoded}/data"


def layers(blobs: int, manifests: int) -> int:
    """How many an image has of its own in a store of so many blobs, its manifests among them."""
    return max(1, blobs // manifests - 2)


def image(number: int, layers: int) -> Image:
    """One with so many layers of its own, and some that it shares."""
    repository = number // REVISIONS
    shared = [_digest(f"shared {repository} {each}") for each in range(SHARED)]
    own = [_digest(f"layer {number} {each}") for each in range(layers)]
    config = _digest(f"config {number}")
    kind = "application/vnd.oci.image"
    document = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": {"mediaType": f"{kind}.config.v1+json", "digest": config, "size": LAYER_SIZE},
        "layers": [
            {"mediaType": f"{kind}.layer.v1.tar+gzip", "digest": each, "size": LAYER_SIZE}
            for each in (*shared, *own)
        ],
    }
    manifest = json.dumps(document, indent=2).encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    return Image(f"team{repository % 100}/application{repository}", digest, manifest, [config, *shared, *own])


def store(blobs: int, manifests: int) -> Iterator[File]:
    """The files of a store with about so many blobs, manifests among them; some come more than once."""
    own = layers(blobs, manifests)
    for number in range(manifests):
        yield from image(number, own).files(f"v{number}" if number % TAGGED == 0 else "")
    for number in range(blobs // GARBAGE):
        yield File(data(_digest(f"garbage {number}")), None, LAYER_SIZE)


def write_files(root: Path, files: Iterable[File]) -> None:
    """Makes them below the root of a store; each stands in a folder of its own."""
    for file in files:
        folder, _, name = f"{root}/{LAYOUT}/{file.path}".rpartition("/")
        try:
            os.mkdir(folder)
        except FileNotFoundError:
            os.makedirs(folder)
        except FileExistsError:
            continue
        with open(f"{folder}/{name}", "wb") as written:
            written.write(file.content or b"")
            written.truncate(len(file.content or b"") or file.size)


def write_objects(client: S3Client, bucket: str, files: Iterable[File]) -> None:
    """Makes them in a bucket, with a byte for what has no content."""

    def write(file: File) -> None:
        client.put_object(Bucket=bucket, Key=f"{LAYOUT}/{file.path}", Body=file.content or b"x")

    left = iter(files)
    with ThreadPoolExecutor(16) as pool:
        while batch := list(islice(left, 1000)):
            for _ in pool.map(write, batch):
                pass


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
