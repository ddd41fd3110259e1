"""Combines several runs of one program, made at different hours: ``python tests/bench/ranges.py RUN.json …``.

Prints a Markdown table: for each row the range of its figure, and the median and the range of its ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rows import Row

HEAD = ("", "result", "ratio", "bar", "processor time", "bar")


def read(file: Path) -> list[Row]:
    return [Row(**row) for row in json.loads(file.read_text())["rows"]]


def figures(rows: list[Row]) -> str:
    """The lowest and the highest."""
    ordered = sorted((row.figure for row in rows), key=lambda figure: float(figure.split()[0]))
    low, high = ordered[0], ordered[-1]
    return high if low == high else f"{low.split()[0]} to {high}"


def ratios(values: list[float]) -> str:
    if not values:
        return ""
    middle, low, high = (f"{value:.2f}" for value in (statistics.median(values), min(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def line(what: str, rows: list[Row]) -> tuple[str, ...]:
    return (
        what,
        figures(rows),
        ratios([row.ratio for row in rows if row.ratio is not None]),
        rows[-1].bar,
        ratios([row.processor for row in rows if row.processor is not None]),
        rows[-1].processor_bar,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN.json")
    by_name: dict[str, list[Row]] = {}
    for run in parser.parse_args().runs:
        for row in read(run):
            by_name.setdefault(row.what, []).append(row)
    lines = [HEAD, ("---",) * len(HEAD), *(line(what, rows) for what, rows in by_name.items())]
    for cells in lines:
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
