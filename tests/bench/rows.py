"""What the programs print: rows of figures and what they are compared with. The same goes into JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

MIB = 1 << 20


class Row(NamedTuple):
    """A figure, which is a number with its unit.

    ``ratio`` compares it with what is ``beside``, and ``bar`` is the result required. ``processor`` and
    ``processor_bar`` are the same for the processor time, user and system, of caller and registry together.
    """

    what: str
    figure: str
    beside: str = ""
    ratio: float | None = None
    bar: str = ""
    processor: float | None = None
    processor_bar: str = ""


def speed(size: float, seconds: float) -> str:
    return f"{size / seconds / 1e9:.2f} GB/s"


def rate(count: float, seconds: float) -> str:
    return f"{count / seconds:.0f} /s"


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def mebibytes(size: float) -> str:
    return f"{size / MIB:.0f} MiB"


def add_json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too, for ranges.py")


def report(title: str, rows: Sequence[Row], file: Path | None = None) -> None:
    """Prints the rows, and writes them to ``file``."""
    print(title)
    print_table(rows)
    if file:
        began = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime())
        run = {"title": title, "time": began, "rows": [row._asdict() for row in rows]}
        file.write_text(json.dumps(run, ensure_ascii=False, indent=1))


def print_table(rows: Iterable[Row]) -> None:
    """Prints the rows in columns."""
    table = [
        (row.what, row.figure, row.beside, times(row.ratio), row.bar, times(row.processor), row.processor_bar)
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f} x"
