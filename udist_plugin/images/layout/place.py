"""Where an image is within a layout of several repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.images.layout.index import CONTAINERD_NAME, name_of

if TYPE_CHECKING:
    from typing import Self

    from udist_plugin.oci.descriptor import Descriptor


class Place(NamedTuple):
    """A repository, and a tag or the digest of an image without one. Either may be empty."""

    repository: str
    target: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """``NAME:TAG``, ``NAME@DIGEST`` or ``TAG``."""
        repository, at, digest = text.rpartition("@")
        if at:
            return cls(repository, digest)
        repository, _, tag = text.rpartition(":")
        return cls(repository, tag)

    @classmethod
    def of(cls, entry: Descriptor) -> Self:
        """By containerd's whole name, or the entry's own; its digest if it has neither."""
        whole = entry.annotations.get(CONTAINERD_NAME) or name_of(entry)
        return cls.parse(whole) if whole else cls("", entry.digest)

    @classmethod
    def beside(cls, name: str | None, tag: str) -> Self:
        """Where ``tag`` is in the repository of the image called ``name``."""
        return cls(cls.parse(name).repository if name else "", tag)

    def __str__(self) -> str:
        if not self.repository:
            return self.target
        return f"{self.repository}{'@' if ':' in self.target else ':'}{self.target}"
