"""Layers as streams."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.images.sample import layer_tar
from udist_plugin.content import Content
from udist_plugin.images.rootfs.layer import members_of
from udist_plugin.images.transports.base import ImageSource
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_LAYER_TAR_GZIP

if TYPE_CHECKING:
    from udist_plugin.registry import ManifestContent


class Dripping(Content):
    """One byte at a time."""

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._left = content

    def read(self, size: int = -1) -> bytes:
        data, self._left = self._left[: min(size, 1)], self._left[min(size, 1) :]
        return data


class Source(ImageSource):
    """A blob that comes slowly."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def get_manifest(self, digest: Digest | None = None) -> ManifestContent:
        raise AssertionError(f"{digest} is not asked for")

    def open_blob(self, descriptor: Descriptor) -> Content:
        assert descriptor.digest == Digest.of(self._content)
        return Dripping(self._content)

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("compressed", [False, True])
def test_bytes_may_come_one_by_one(compressed: bool) -> None:
    layer = layer_tar(b"content")
    blob = gzip.compress(layer) if compressed else layer
    members = members_of(Source(blob), Descriptor(OCI_LAYER_TAR_GZIP, Digest.of(blob), len(blob)))
    found = [(member.entry.name, member.content.read()) for member in members if member.content]
    assert found == [("file", b"content")]
