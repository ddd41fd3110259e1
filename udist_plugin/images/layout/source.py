"""An image read from an OCI layout."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import (
    BlobUnknown,
    DigestInvalid,
    ImageUnknown,
    LayoutInvalid,
    ManifestUnknown,
    RegistryError,
)
from udist_plugin.images.files import read_file
from udist_plugin.images.layout.index import INDEX_MAX, LayoutIndex
from udist_plugin.images.layout.place import Place
from udist_plugin.images.transports.base import ImageSource
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX
from udist_plugin.oci.stored import read_stored
from udist_plugin.registry import ManifestContent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.content import Content
    from udist_plugin.images.files import Files
    from udist_plugin.images.layout.location import Location
    from udist_plugin.oci.descriptor import Descriptor


class LayoutSource(ImageSource):
    """The image at ``location`` of the layout in ``files``, which are closed with it. What belongs to it is
    in its ``repository``, or anywhere in the layout.

    Raises ``LayoutInvalid``, ``ImageUnknown`` and ``ImageAmbiguous``.
    """

    def __init__(self, files: Files, location: Location, repository: str | None = None) -> None:
        self._files = files
        self._repository = repository
        self._index = index_of(files)
        self._entry = self._index.find(location, self._read_manifest)

    def get_manifest(self, digest: Digest | None = None) -> ManifestContent:
        digest = digest or self._entry.digest
        content = self._read_manifest(digest)
        return ManifestContent(content, read_stored(content, digest).media_type, digest)

    def open_blob(self, descriptor: Descriptor) -> Content:
        return open_blob(self._files, descriptor.digest)

    def list_referrers(self, digest: Digest) -> list[Descriptor]:
        """Of the images that the layout's index lists."""
        found = (each for each in self._referrers if each.subject == digest)
        return list({each.descriptor.digest: each.descriptor for each in found}.values())

    def get_tagged(self, tag: str) -> ManifestContent | None:
        for entry in self._index.entries:
            if Place.of(entry).target == tag and self._is_near(entry):
                return self.get_manifest(entry.digest)
        return None

    @cached_property
    def _referrers(self) -> list[Referrer]:
        return [each for each in read_referrers(self._files, self._index) if self._is_near(each.entry)]

    def _is_near(self, entry: Descriptor) -> bool:
        return self._repository is None or Place.of(entry).repository in ("", self._repository)

    def close(self) -> None:
        self._files.close()

    def _read_manifest(self, digest: Digest) -> bytes:
        return read_manifest(self._files, blob_name(digest), digest)


class Referrer(NamedTuple):
    """``entry`` of an index, which refers to ``subject``; ``descriptor`` is as a registry lists it."""

    subject: Digest
    entry: Descriptor
    descriptor: Descriptor


def read_referrers(files: Files, index: LayoutIndex) -> Iterator[Referrer]:
    """All entries that refer to others, but for those that cannot be read."""
    for entry in index.entries:
        with suppress(RegistryError, LayoutInvalid):  # what others wrote
            content = read_manifest(files, blob_name(entry.digest), entry.digest)
            manifest = read_stored(content, entry.digest)
            if manifest.subject:
                kind, notes = manifest.referrer_type, manifest.annotations
                described = entry._replace(artifact_type=kind, annotations=notes)
                yield Referrer(manifest.subject.digest, entry, described)


def read_manifest(files: Files, name: str, digest: Digest) -> bytes:
    """A manifest's bytes, which have ``digest``. Raises ``ManifestUnknown`` and ``DigestInvalid``."""
    try:
        content = read_file(files, name, MANIFEST_MAX)
    except FileNotFoundError:
        raise ManifestUnknown({"digest": digest, "image": files.path}) from None
    if (actual := Digest.of(content, digest.algorithm)) != digest:
        raise DigestInvalid({"expected": digest, "actual": actual}, "the manifest does not match its digest")
    return content


def open_blob(files: Files, digest: Digest) -> Content:
    """A blob's content. Raises ``BlobUnknown``."""
    try:
        return files.open(blob_name(digest))
    except FileNotFoundError:
        raise BlobUnknown({"digest": digest, "image": files.path}) from None


def blob_name(digest: Digest) -> str:
    """The file of a blob within a layout."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def read_index(files: Files) -> LayoutIndex | None:
    """The layout's ``index.json``, if there is one. Raises ``LayoutInvalid``."""
    try:
        return LayoutIndex(read_file(files, "index.json", INDEX_MAX))
    except (FileNotFoundError, NotADirectoryError):
        return None


def index_of(files: Files) -> LayoutIndex:
    """The layout's ``index.json``. Raises ``ImageUnknown`` where there is none, and ``LayoutInvalid``."""
    index = read_index(files)
    if index is None:
        raise ImageUnknown("there is no OCI layout: no index.json", files.path)
    check_version(files)
    return index


def check_version(files: Files) -> None:
    """Raises ``LayoutInvalid`` for a layout of a later major version. One that states none is read."""
    version = None
    with suppress(FileNotFoundError, ValueError, AttributeError):
        version = json.loads(read_file(files, "oci-layout", 4096)).get("imageLayoutVersion")
    if version is not None and not str(version).startswith("1."):
        raise LayoutInvalid(f"has image layout version {version}; expected 1.0.0", files.path)
