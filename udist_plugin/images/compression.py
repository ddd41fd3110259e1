"""How the layers of images are compressed (image-spec, layer.md)."""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import ImageError
from udist_plugin.images.archive.zstd import zstd_module
from udist_plugin.images.packing import GZIP_LEVEL
from udist_plugin.oci.media_types import (
    DOCKER_LAYER,
    DOCKER_LAYER_TAR,
    DOCKER_LAYER_ZSTD,
    OCI_LAYER_TAR,
    OCI_LAYER_TAR_GZIP,
    OCI_LAYER_TAR_ZSTD,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from udist_plugin.images.packing import Hashing

OCI_TYPES: Final = {
    "none": OCI_LAYER_TAR,
    "gzip": OCI_LAYER_TAR_GZIP,
    "zstd": OCI_LAYER_TAR_ZSTD,
    "xz": f"{OCI_LAYER_TAR}+xz",
    "bzip2": f"{OCI_LAYER_TAR}+bzip2",
}
"""The last two are in no specification: such a layer must be recompressed."""

_FAMILIES: Final = (
    OCI_TYPES,
    {"none": DOCKER_LAYER_TAR, "gzip": DOCKER_LAYER, "zstd": DOCKER_LAYER_ZSTD},
)

_LEVELS: Final = {"none": range(0), "gzip": range(1, 10), "zstd": range(1, 23)}

COMPRESSIONS: Final = tuple(_LEVELS)


class Compression(NamedTuple):
    """``none``, ``gzip`` or ``zstd``, and its level, if not the usual one: 6 of gzip, 3 of zstd.

    The same content and level make the same bytes with one version of the library.
    """

    name: str
    level: int | None = None

    def check(self) -> None:
        """Raises ``ImageError`` for what is no compression, or no level of it."""
        levels = _LEVELS.get(self.name)
        if levels is None:
            raise ImageError(f"is no compression; expected one of {', '.join(COMPRESSIONS)}", self.name)
        if self.level is not None and self.level not in levels:
            expected = f"{levels[0]} to {levels[-1]}" if levels else "no level"
            raise ImageError(f"{self.level} is no compression level; expected {expected}", self.name)

    def require(self) -> None:
        """Raises ``ImageError`` where nothing can compress like this."""
        self.check()
        if self.name == "zstd":
            zstd_module()

    def media_type(self, other: str) -> str | None:
        """What a layer of the media type ``other`` becomes; ``None`` for what is no layer of an image, or
        stays elsewhere."""
        return next((types[self.name] for types in _FAMILIES if other in types.values()), None)

    @contextmanager
    def writing(self, out: Hashing) -> Iterator[BinaryIO | gzip.GzipFile | Hashing]:
        """Where to write what arrives in ``out`` compressed, all of it when the block ends."""
        if self.name == "gzip":
            with gzip.GzipFile("", "wb", self.level or GZIP_LEVEL, out, mtime=0) as compressed:
                yield compressed
        elif self.name == "zstd":
            with zstd_module().ZstdFile(out, "w", level=self.level) as compressed:
                yield compressed
        else:
            yield out
