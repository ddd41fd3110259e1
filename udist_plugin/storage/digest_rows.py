"""Numbers for digests, so that what is known of a million of them fits into arrays."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.oci.digest import Digest

KEY: Final = 16
"""Bytes of a digest that tell it from all others."""
_ROW: Final = 4
_SPREAD: Final = 2
"""Digests are spread over buckets by so many bytes: some 15 in each, if there are a million."""


class DigestRows:
    """The row of each digest, counted from 0 in the order in which they were added. Each of a million digests
    takes some 28 bytes; in a dictionary it would take 170."""

    def __init__(self) -> None:
        self._buckets: dict[bytes, bytearray] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, digest: Digest) -> bool:
        """Gives it the next row, unless it has one."""
        key = _key(digest)
        bucket = self._buckets.setdefault(key[:_SPREAD], bytearray())
        if _find(bucket, key) >= 0:
            return False
        bucket += key + self._count.to_bytes(_ROW, "big")
        self._count += 1
        return True

    def get(self, digest: Digest) -> int | None:
        key = _key(digest)
        bucket = self._buckets.get(key[:_SPREAD], b"")
        if (at := _find(bucket, key)) < 0:
            return None
        return int.from_bytes(bucket[at + KEY : at + KEY + _ROW], "big")


def _find(bucket: bytes | bytearray, key: bytes) -> int:
    """Where an entry with this key begins, or -1."""
    at = bucket.find(key)
    while at >= 0 and at % (KEY + _ROW):  # not the key of an entry, but what stands around it
        at = bucket.find(key, at + 1)
    return at


def _key(digest: Digest) -> bytes:
    return bytes.fromhex(digest.hex[: 2 * KEY])
