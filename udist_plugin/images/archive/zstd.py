"""zstd, which Python has had since 3.14 and for which there is a package before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from udist_plugin.errors import ImageError

if TYPE_CHECKING:
    from typing import BinaryIO

    from udist_plugin.content import Readable


def open_zstd(file: BinaryIO) -> Readable:
    """The content of ``file``, decompressed; reading it raises ``ValueError`` where it is damaged.

    Raises ``ImageError`` where nothing can decompress it.
    """
    zstd = zstd_module()

    class Decompressed(zstd.ZstdFile):  # type: ignore[misc,name-defined]
        def read(self, size: int | None = -1) -> bytes:
            try:
                data: bytes = super().read(size)
            except zstd.ZstdError as error:
                raise ValueError(str(error)) from None
            return data

    return Decompressed(file)


def zstd_module() -> Any:
    """``compression.zstd``, or the package with the same interface. Raises ``ImageError`` where there is
    neither."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        try:
            from backports import zstd
        except ImportError:
            raise ImageError("zstd needs a package: pip install '.[zstd]' in a checkout of udist") from None
    return zstd
