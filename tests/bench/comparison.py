"""Results of a plugin beside those of distribution v3, and how they become rows with bars."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.rows import Row, microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Show = Callable[[float], str]

PLUGIN, PIPE, RIVAL, DEBIAN = "plugin", "pipe", "distribution", "debian"


class Result(NamedTuple):
    """What a measurement took with one peer, in seconds."""

    seconds: list[float]
    """Of each thing timed."""

    processor: list[float]
    """Processor time of caller and registry together, in each round."""


class Memory(NamedTuple):
    """What a registry had resident, in bytes."""

    idle: float
    peak: float


class Faster(NamedTuple):
    """An ``amount`` of work, held to at least ``bar`` times the rival's speed."""

    amount: float
    show: Callable[[float, float], str]
    bar: float
    processor: float | None

    def rows(self, what: str, results: Mapping[str, Result]) -> Iterator[Row]:
        medians = {peer: statistics.median(result.seconds) for peer, result in results.items()}
        row = compared(what, medians, lambda seconds: self.show(self.amount, seconds))
        ratio = medians[RIVAL] / medians[PLUGIN]
        yield with_processor(row._replace(ratio=ratio, bar=f"≥ {self.bar}"), results, self.processor)


class Sooner(NamedTuple):
    """Single requests, held to at most ``median`` and ``p99`` times the rival's time."""

    median: float
    p99: float | None = None
    processor: float | None = None
    show: Show = microseconds

    def rows(self, what: str, results: Mapping[str, Result]) -> Iterator[Row]:
        medians = {peer: statistics.median(result.seconds) for peer, result in results.items()}
        row = compared(f"{what}, median", medians, self.show)
        yield with_processor(row._replace(bar=f"≤ {self.median}"), results, self.processor)
        if self.p99 is not None:
            p99 = {peer: percentile(result.seconds) for peer, result in results.items()}
            yield compared(f"{what}, p99", p99, self.show)._replace(bar=f"≤ {self.p99}")


def percentile(seconds: list[float]) -> float:
    """The 99th."""
    return statistics.quantiles(seconds, n=100)[98]


def compared(what: str, values: Mapping[str, float], show: Show) -> Row:
    figures = {peer: show(value) for peer, value in values.items()}
    beside = ", ".join(f"{peer} {figures[peer]}" for peer in (RIVAL, DEBIAN) if peer in figures)
    return Row(what, figures[PLUGIN], beside, values[PLUGIN] / values[RIVAL])


def with_processor(row: Row, results: Mapping[str, Result], bar: float | None) -> Row:
    spent = {peer: statistics.fmean(result.processor) for peer, result in results.items()}
    ratio = spent[PLUGIN] / spent[RIVAL]
    return row._replace(processor=ratio, processor_bar="" if bar is None else f"≤ {bar}")
