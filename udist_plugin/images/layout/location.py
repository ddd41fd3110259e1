"""``path[:image]``, as the references of layouts and archives are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import DigestInvalid, ReferenceInvalid
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from typing import Self

_COMPONENT = r"[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*"
_NAME = re.compile(f"{_COMPONENT}(?:/{_COMPONENT})*")  # image-spec, annotations.md

FORM = "PATH[:NAME], PATH:@POSITION or PATH:@DIGEST"


class Location(NamedTuple):
    """A path, and which of the images there: one by name, by position or by digest, or the only one."""

    path: str
    name: str | None = None
    position: int | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The path ends at the first colon. Raises ``ReferenceInvalid``."""
        path, _, image = text.partition(":")
        if not path:
            raise ReferenceInvalid(f"the path is empty; expected {FORM}", text)
        if not image:
            return cls(path)
        if image.startswith("@"):
            return cls._at(path, image[1:], text)
        if not _NAME.fullmatch(image):
            raise ReferenceInvalid(f"{image!r} is no name of an image; expected {FORM}", text)
        return cls(path, image)

    @classmethod
    def _at(cls, path: str, place: str, text: str) -> Self:
        if re.fullmatch(r"\+?[0-9]{1,9}", place, re.ASCII):
            return cls(path, position=int(place))
        try:
            return cls(path, digest=Digest(place))
        except DigestInvalid:
            raise ReferenceInvalid(
                f"@{place} is neither a position nor a digest; expected {FORM}", text
            ) from None

    @property
    def image(self) -> str:
        """What is behind the path; empty for the only image."""
        if self.position is not None:
            return f"@{self.position}"
        return f"@{self.digest}" if self.digest else self.name or ""

    def __str__(self) -> str:
        return f"{self.path}:{self.image}"


def check_whole(text: str) -> str:
    """The path of a whole layout or archive. Raises ``ReferenceInvalid``."""
    location = Location.parse(text)
    if location.image:
        raise ReferenceInvalid("names one image; expected PATH, for all that is there", text)
    return location.path
