"""Content digests (image-spec, descriptor.md, "Digests")."""

from __future__ import annotations

from udist_plugin.errors import DigestInvalid
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import hashlib

HEX_LENGTHS: Final = {"sha256": 64, "sha512": 128}
"""The registered algorithms and the length of their encoded part."""


class Digest(str):
    """``algorithm:hex``, checked: a ``Digest`` can stand in a path or a URL as it is.

    Raises ``DigestInvalid`` for an unknown algorithm, a wrong length or anything but lower-case hex.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Digest:
        if type(text) is cls:
            return text
        algorithm, _, encoded = text.partition(":")
        if len(encoded) != HEX_LENGTHS.get(algorithm) or encoded.strip(_HEX):
            raise DigestInvalid({"digest": text[:256], "expected": "sha256:<64 hex> or sha512:<128 hex>"})
        return super().__new__(cls, text)

    @staticmethod
    def or_tag(target: str) -> Digest | str:
        """A digest if ``target`` names one: no tag has a colon."""
        return Digest(target) if ":" in target else target

    @property
    def algorithm(self) -> str:
        return self.partition(":")[0]

    @property
    def hex(self) -> str:
        return self.partition(":")[2]

    @property
    def raw(self) -> bytes:
        """The encoded part as bytes."""
        return bytes.fromhex(self.hex)

    def hasher(self) -> hashlib._Hash:
        """A new running hash of this digest's algorithm."""
        return new_hash(self.algorithm)

    def check(self, actual: Digest) -> None:
        """Raises ``DigestInvalid`` unless it is the ``actual`` digest of what was pushed as this one's."""
        if actual != self:
            raise DigestInvalid({"digest": self, "content": actual})

    @classmethod
    def of(cls, content: bytes | bytearray | memoryview, algorithm: str = "sha256") -> Digest:
        """The digest of ``content``."""
        running = new_hash(algorithm)
        running.update(content)
        return cls.from_hash(running)

    @classmethod
    def from_hash(cls, running: hashlib._Hash) -> Digest:
        """The digest of everything fed to ``running``."""
        return cls(f"{running.name}:{running.hexdigest()}")


def new_hash(algorithm: str) -> hashlib._Hash:
    """A running hash; raises ``DigestInvalid`` when the algorithm is not registered."""
    import hashlib  # OpenSSL takes milliseconds to load, and the first answer needs none

    if algorithm not in HEX_LENGTHS:
        raise DigestInvalid({"algorithm": algorithm, "expected": "sha256 or sha512"})
    return hashlib.new(algorithm, usedforsecurity=False)


_HEX: Final = "0123456789abcdef"
