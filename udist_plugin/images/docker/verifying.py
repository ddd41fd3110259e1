"""Blobs that are hashed on their way to a registry, whatever that says of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from udist_plugin.images.writing import check_digest
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.repeating import size_of

if TYPE_CHECKING:
    from udist_plugin.content import Readable


class VerifyingRegistry(RemoteRegistry):
    """A registry that is not trusted to verify what it gets."""

    def push_blob(self, name: str, digest: str, content: Readable) -> Descriptor:
        """Raises ``DigestInvalid`` before the last bytes are sent, if they are not what they should be."""
        if not getattr(content, "verified", False):
            content = _Verified(content, Descriptor(OCTET_STREAM, Digest(digest), 0))
        return super().push_blob(name, digest, content)


class _Verified:
    """``content``, of which nobody gets the end unless all of it is ``blob``."""

    def __init__(self, content: Readable, blob: Descriptor) -> None:
        self.size = size_of(content)
        self._content = content
        self._blob = blob
        self._begin()

    def _begin(self) -> None:
        self._hasher = self._blob.digest.hasher()
        self._count = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._content.read(size)
        self._hasher.update(data)
        self._count += len(data)
        if size and (not data or self._count == self.size):
            check_digest(self._hasher, self._blob)
        return data

    def seekable(self) -> bool:
        return self._content.seekable()  # type: ignore[attr-defined,no-any-return]

    def tell(self) -> int:
        return self._content.tell()  # type: ignore[attr-defined,no-any-return]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """To where it began: a request that is sent again sends all of it."""
        self._begin()
        return self._content.seek(offset, whence)  # type: ignore[attr-defined,no-any-return]
