"""Byte ranges (RFC 9110, section 14) and the Content-Range of an upload's chunk."""

import re

from udist_plugin.errors import RangeInvalid
from udist_plugin.http_api.numbers import bounded
from udist_plugin.typed import NamedTuple

# Compiled on first use: the first answer needs neither.
_RANGE = r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*"
_CHUNK = r"([0-9]{1,18})-([0-9]{1,18})"


class ByteRange(NamedTuple):
    """Bytes from ``start`` up to, not including, ``end``."""

    start: int
    end: int

    def content_range(self, size: int) -> tuple[str, str]:
        """The Content-Range field (section 14.4)."""
        return ("Content-Range", f"bytes {self.start}-{self.end - 1}/{size}")


def unsatisfied_range(size: int) -> tuple[str, str]:
    """The Content-Range field of a 416 (section 15.5.17)."""
    return ("Content-Range", f"bytes */{size}")


def parse_range(text: str | None, size: int) -> ByteRange | None:
    """What a Range field selects of ``size`` bytes; ``None`` means everything.

    Units other than bytes are ignored (section 14.2), and so are several ranges at once, which a server may
    do. Nothing can be selected of empty content, so there the field is ignored too, as distribution does.
    A position may be of any size: a last one beyond the end means the end (section 14.1.2).
    Raises ``RangeInvalid`` for a range that is malformed or selects nothing.
    """
    if text is None or not text.startswith("bytes=") or "," in text or not size:
        return None
    match = re.fullmatch(_RANGE, text)
    if not match or match[1] == match[2] == "":
        raise RangeInvalid({"range": text[:128]})
    if not match[1]:
        start, end = size - bounded(match[2], size), size
    else:
        start, end = bounded(match[1], size), bounded(match[2], size - 1) + 1 if match[2] else size
    if start >= end:
        raise RangeInvalid({"range": text[:128], "size": size})
    return ByteRange(start, end)


def parse_chunk_range(text: str) -> ByteRange:
    """A chunk's Content-Range: first and last byte, no unit (distribution-spec, "Pushing a blob in chunks").

    Raises ``RangeInvalid``.
    """
    match = re.fullmatch(_CHUNK, text)
    if not match or int(match[1]) > int(match[2]):
        raise RangeInvalid({"Content-Range": text[:128], "expected": "<first>-<last>"})
    return ByteRange(int(match[1]), int(match[2]) + 1)
