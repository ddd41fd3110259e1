"""zstd, which Python has had since 3.14 and for which there is a package before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from udist_plugin.errors import ImageError

if TYPE_CHECKING:
    from typing import BinaryIO

    from udist_plugin.content import Readable


def open_zstd(file: BinaryIO) -> Readable:
    """The content of ``file``, decompressed; reading it raises ``ValueError`` where it is damaged.

    Raises ``ImageError`` where nothing can decompress it.
    """
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        try:
            from backports import zstd
        except ImportError:
            raise ImageError(
                "zstd archives need a package: pip install '.[zstd]' in a checkout of udist"
            ) from None

    class Decompressed(zstd.ZstdFile):
        def read(self, size: int | None = -1) -> bytes:
            try:
                return super().read(size)
            except zstd.ZstdError as error:
                raise ValueError(str(error)) from None

    return Decompressed(file)
