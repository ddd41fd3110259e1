"""The lines between the runner and a driver: words separated by spaces (``udist help callers``)."""

from __future__ import annotations

import re


def to_line(*words: str) -> bytes:
    """One line of ``words``."""
    return " ".join(map(_escape, words)).encode() + b"\n"


def to_words(line: bytes) -> list[str]:
    """The words of a line without its end. Raises ``ValueError`` for one that is not ASCII."""
    return [_unescape(word) for word in line.decode("ascii").split(" ")]


def _escape(word: str) -> str:
    data = word.encode()
    return "".join(chr(byte) if 0x20 < byte < 0x7F and byte != 0x25 else f"%{byte:02X}" for byte in data)


def _unescape(word: str) -> str:
    data = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), word.encode())
    return data.decode(errors="backslashreplace")
