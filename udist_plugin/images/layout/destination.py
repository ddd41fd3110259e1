"""An image written into an OCI layout."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ImageError, LayoutInvalid
from udist_plugin.images.files import Folder
from udist_plugin.images.layout.index import LayoutIndex, name_of
from udist_plugin.images.layout.place import Place
from udist_plugin.images.layout.source import blob_name, check_version, read_index, read_manifest
from udist_plugin.images.transports.folders import FolderDestination
from udist_plugin.registry import ManifestContent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.images.layout.location import Location
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest

LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'

LOCKED: Final = 10.0
"""Seconds to wait for another process that writes ``index.json``."""


class LayoutDestination(FolderDestination):
    """The layout at ``location``. Raises ``LayoutInvalid`` for a folder that holds something else."""

    keeps_referrers = True

    def __init__(self, location: Location) -> None:
        super().__init__(Folder(location.path))
        self._name = check_written(location).name
        if read_index(self._folder) is None and self._folder.names() - {"blobs", "oci-layout"}:
            raise LayoutInvalid("is neither an OCI layout nor empty; give another folder", location.path)
        check_version(self._folder)

    def _blob_name(self, digest: Digest) -> str:
        return blob_name(digest)

    def put_manifest(self, manifest: Manifest) -> None:
        self._write(blob_name(manifest.digest), manifest.content)

    def commit(self, root: Manifest) -> None:
        self.put_manifest(root)
        self._list([root], self._name)

    def put_referrers(self, subject: Digest, referrers: Sequence[Manifest]) -> None:  # noqa: ARG002
        """In ``index.json``, without names."""
        self._list(referrers, None)

    def get_tagged(self, tag: str) -> ManifestContent | None:
        index = read_index(self._folder) or LayoutIndex()
        for entry in index.entries:
            if name_of(entry) == str(Place.beside(self._name, tag)):
                content = read_manifest(self._folder, blob_name(entry.digest), entry.digest)
                return ManifestContent(content, entry.media_type, entry.digest)
        return None

    def put_tagged(self, manifest: Manifest, tag: str) -> None:
        self.put_manifest(manifest)
        self._list([manifest], str(Place.beside(self._name, tag)))

    def _list(self, manifests: Sequence[Manifest], name: str | None) -> None:
        if self._folder.size("oci-layout") is None:
            self._write("oci-layout", LAYOUT)
        with locked(self._folder.path):
            index = read_index(self._folder) or LayoutIndex()
            for manifest in manifests:
                index.put(manifest, name)
            self._write("index.json", index.to_bytes())


def check_written(location: Location) -> Location:
    """``location`` itself. Raises ``ImageError`` for one that only reading can mean."""
    if location.position is not None or location.digest:
        raise ImageError(
            "an image is written by its name; positions and digests are for reading", str(location)
        )
    return location


@contextmanager
def locked(folder: str) -> Iterator[None]:
    """No other process of ours changes the folder's ``index.json`` meanwhile."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + LOCKED
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ImageError("another process keeps it locked; try again later", folder) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)
