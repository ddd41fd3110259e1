"""What ``docker save`` writes: ``manifest.json``, and the files that it names."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.content import CHUNK_SIZE
from udist_plugin.errors import (
    BlobUnknown,
    DigestInvalid,
    ImageAmbiguous,
    ImageError,
    ImageUnknown,
    LayoutInvalid,
    ReferenceInvalid,
    RegistryError,
)
from udist_plugin.images.archive.opening import MAGIC_MAX, compression_of
from udist_plugin.images.configuration import diff_ids
from udist_plugin.images.files import read_file
from udist_plugin.images.layout.source import blob_name, read_index, read_manifest
from udist_plugin.images.references import Named
from udist_plugin.images.transports.base import ImageSource
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX, Manifest, load_document
from udist_plugin.oci.media_types import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_LAYER_TAR,
    DOCKER_LAYER_ZSTD,
    DOCKER_MANIFEST,
    INDEXES,
)
from udist_plugin.oci.stored import read_stored
from udist_plugin.registry import ManifestContent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.content import Content
    from udist_plugin.images.archive.members import Archive

TABLE_MAX: Final = 16 << 20
"""The largest ``manifest.json`` accepted, in bytes."""

ENTRIES_MAX: Final = 10_000
"""How many of a layout's manifests are looked at, at least."""

_LAYERS: Final = {None: DOCKER_LAYER_TAR, "gzip": DOCKER_LAYER, "zstd": DOCKER_LAYER_ZSTD}


class Item(NamedTuple):
    """An image of an archive: where its configuration and its layers are, and its names."""

    config: str
    layers: tuple[str, ...]
    names: tuple[str, ...]


def items_of(archive: Archive) -> list[Item]:
    """The images that ``manifest.json`` lists. Raises ``LayoutInvalid``."""
    try:
        table = json.loads(read_file(archive, "manifest.json", TABLE_MAX))
        return [
            Item(_path(item["Config"]), tuple(map(_path, item["Layers"])), tuple(item.get("RepoTags") or ()))
            for item in table
        ]
    except FileNotFoundError:
        raise LayoutInvalid("is no Docker archive: it has no manifest.json", archive.path) from None
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        raise LayoutInvalid(
            "manifest.json: expected Config, RepoTags and Layers of images", archive.path
        ) from None


def choose(items: Sequence[Item], named: Named | None, position: int | None, path: str) -> Item:
    """The item that is called ``named``, stands at ``position``, or is the only one.

    Raises ``ImageUnknown`` and ``ImageAmbiguous``, which list what there is.
    """
    listed = (
        ", ".join(", ".join(item.names) or f"@{index} (no name)" for index, item in enumerate(items))
        or "none"
    )
    if position is not None:
        if position < len(items):
            return items[position]
        raise ImageUnknown(f"there is no image @{position}; it has {listed}", path)
    fitting = [item for item in items if named is None or named in map(_normalized, item.names)]
    if not fitting:
        raise ImageUnknown(
            f"there is no such image; it has {listed}", f"{path}:{named.familiar}" if named else path
        )
    if len(fitting) > 1:
        what = f"two images are called {named.familiar}" if named else "there is more than one image"
        raise ImageAmbiguous(f"{what}; choose one by its name or position: {listed}", path)
    return fitting[0]


class DockerArchiveSource(ImageSource):
    """An image of ``archive``, which is closed with it.

    Its manifest is the one of the layout in the same archive, if there is one for the same configuration;
    then digests are kept. Else it is made, for layers as they are. Raises ``ImageError``.
    """

    def __init__(self, archive: Archive, named: Named | None, position: int | None) -> None:
        self._archive = archive
        self._item = choose(items_of(archive), named, position, archive.path)
        self._places: dict[Digest, str] = {}
        self._manifest = self._from_layout() or self._made()

    def get_manifest(self, digest: Digest | None = None) -> ManifestContent:  # noqa: ARG002 - there is but one
        return self._manifest

    def open_blob(self, descriptor: Descriptor) -> Content:
        try:
            return self._archive.open(self._places.get(descriptor.digest) or blob_name(descriptor.digest))
        except FileNotFoundError:
            raise BlobUnknown({"digest": descriptor.digest, "image": self._archive.path}) from None

    def close(self) -> None:
        self._archive.close()

    def _from_layout(self) -> ManifestContent | None:
        wanted = self._config().digest
        for found in self._layouts():
            if found.config and found.config.digest == wanted and len(found.layers) == len(self._item.layers):
                return ManifestContent(found.content, found.media_type, found.digest)
        return None

    def _layouts(self) -> Iterator[Manifest]:
        """The manifests of the layout that are there, also those that an index lists."""
        index = read_index(self._archive)
        waiting = index.entries if index else []
        for entry in waiting:  # which grows
            try:
                content = read_manifest(self._archive, blob_name(entry.digest), entry.digest)
            except RegistryError:
                continue
            found = read_stored(content, entry.digest)
            if found.media_type in INDEXES and len(waiting) < ENTRIES_MAX:
                waiting += found.manifests
            yield found

    def _config(self) -> Descriptor:
        content = self._read(self._item.config)
        digest = Digest.of(content)
        self._places[digest] = self._item.config
        return Descriptor(DOCKER_CONFIG, digest, len(content))

    def _made(self) -> ManifestContent:
        config = self._config()
        diffs = diff_ids(load_document(self._read(self._item.config)))
        if len(diffs) != len(self._item.layers):
            raise LayoutInvalid(
                f"{self._item.config} has {len(diffs)} layers, manifest.json {len(self._item.layers)}",
                self._archive.path,
            )
        layers = [self._layer(path, diff) for path, diff in zip(self._item.layers, diffs, strict=True)]
        document = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": config.to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
        content = json.dumps(document, separators=(",", ":")).encode()
        return ManifestContent(content, DOCKER_MANIFEST, Digest.of(content))

    def _layer(self, path: str, diff: str) -> Descriptor:
        """A layer by what it is, whatever its name says."""
        try:
            with self._archive.open(path) as content:
                size, hasher, start = content.size, Digest(diff).hasher(), b""
                while data := content.read(CHUNK_SIZE):
                    start = start or data[:MAGIC_MAX]
                    hasher.update(data)
        except FileNotFoundError:
            raise LayoutInvalid(f"has no {path}, which manifest.json names", self._archive.path) from None
        digest, compression = Digest.from_hash(hasher), compression_of(start)
        if compression not in _LAYERS:
            raise ImageError(
                f"{path} is compressed with {compression}, which no image may be", self._archive.path
            )
        if compression is None and digest != diff:
            raise DigestInvalid({"expected": diff, "actual": digest}, f"{path} does not match its digest")
        self._places[digest] = path
        return Descriptor(_LAYERS[compression], digest, size)

    def _read(self, name: str) -> bytes:
        try:
            return read_file(self._archive, name, MANIFEST_MAX)
        except FileNotFoundError:
            raise LayoutInvalid(f"has no {name}, which manifest.json names", self._archive.path) from None


def _path(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return posixpath.normpath(value)


def _normalized(name: str) -> Named | None:
    try:
        return Named.parse_image(name)
    except ReferenceInvalid:
        return None
