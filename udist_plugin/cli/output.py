"""Printing: JSON, lines, tables, notes and sizes."""

from __future__ import annotations

import sys
from contextlib import suppress

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def print_json(value: object) -> None:
    """Prints one JSON document in ASCII, which is valid in any encoding of the locale."""
    import json

    json.dump(value, sys.stdout, indent=2)  # piece by piece: the text of a large one takes much memory
    print()


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(printable(line))


def print_table(rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Prints rows in aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"{indent}{line}".rstrip())


def say(text: str) -> None:
    """Prints to standard error. One that takes no more is no reason to fail: nobody could be told."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def note(text: str) -> None:
    """Prints a remark to standard error."""
    say(f"udist: {text}")


def size_text(size: int) -> str:
    """``size`` bytes for people to read, in decimal units."""
    amount, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"


def platform_text(platform: object) -> str:
    """The platform that an index's entry or a configuration states, if any."""
    if not isinstance(platform, dict):
        return ""
    return "/".join(str(platform[key]) for key in ("os", "architecture", "variant") if platform.get(key))


def printable(text: str) -> str:
    """A line of ``text`` from outside, without characters that could control the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
