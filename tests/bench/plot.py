"""Charts as SVG, with logarithmic scales on both axes."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 24, 34, 62
COLORS = ("#1f6fb2", "#c4501b", "#2e7d32", "#7b1fa2")
UNITS = {
    "s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "B": ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")),
    "": ((1e6, "M"), (1e3, "k"), (1, "")),
}


class Axis(NamedTuple):
    """What it shows, its unit of ``UNITS``, and its ends, which are powers of ``base``."""

    label: str
    unit: str
    low: float
    high: float
    base: float

    @classmethod
    def over(cls, label: str, unit: str, values: Sequence[float]) -> Axis:
        """An axis with room for all values."""
        base = 2 if unit == "B" else 10
        low = base ** math.floor(math.log(min(values), base))
        high = base ** math.ceil(math.log(max(values), base))
        return cls(label, unit, low, max(high, low * base), base)

    def place(self, value: float) -> float:
        """From 0 to 1."""
        return math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """At most nine, at whole powers."""
        count = round(math.log(self.high / self.low, self.base))
        for power in range(0, count + 1, math.ceil(count / 8)):
            value = self.low * self.base**power
            yield self.place(value), shown(value, self.unit)


def shown(value: float, unit: str) -> str:
    size, name = next((each for each in UNITS[unit] if value >= each[0] * 0.999), UNITS[unit][-1])
    return f"{value / size:g} {name}".rstrip()


def chart(title: str, x: tuple[str, str], y: tuple[str, str], lines: Mapping[str, Points]) -> str:
    """A chart; ``x`` and ``y`` are label and unit, and each line has a name and points."""
    points = [point for line in lines.values() for point in line]
    across = Axis.over(*x, [point[0] for point in points])
    up = Axis.over(*y, [point[1] for point in points])
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = [text(WIDTH / 2, 18, title, "middle", bold=True)]
    for place, label in across.ticks():
        column = LEFT + place * width
        parts.append(rule(column, TOP, column, TOP + height))
        parts.append(text(column, TOP + height + 14, label, "middle"))
    for place, label in up.ticks():
        row = TOP + height - place * height
        parts.append(rule(LEFT, row, LEFT + width, row))
        parts.append(text(LEFT - 5, row + 3, label, "end"))
    parts.append(text(LEFT + width / 2, TOP + height + 30, across.label, "middle"))
    for number, (name, line) in enumerate(lines.items()):
        color = COLORS[number % len(COLORS)]
        places = [
            (LEFT + across.place(a) * width, TOP + height - up.place(b) * height) for a, b in sorted(line)
        ]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{path}"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5" fill="{color}"/>' for a, b in places]
        column = LEFT + number * width / len(lines)
        parts.append(f'<rect x="{column:.1f}" y="{HEIGHT - 20}" width="10" height="10" fill="{color}"/>')
        parts.append(text(column + 14, HEIGHT - 11, name))
    return "".join(parts)


def page(charts: Sequence[str]) -> str:
    """Charts side by side."""
    width = WIDTH * len(charts)
    placed = [
        f'<g transform="translate({number * WIDTH} 0)">{each}</g>' for number, each in enumerate(charts)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'font-family="sans-serif" font-size="11"><rect width="{width}" height="{HEIGHT}" fill="white"/>'
        f"{''.join(placed)}</svg>\n"
    )


def text(x: float, y: float, words: str, anchor: str = "start", *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'
