"""The rows of ``go_client.py``, each with its bars."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tests.bench.comparison import PIPE, PLUGIN, RIVAL, Faster, Sooner, compared
from tests.bench.rows import MIB, Row, mebibytes, microseconds, milliseconds, rate, speed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.comparison import Memory, Result

UNREAD = "HEAD blob beside unread pulls"
SMALL = ("HEAD blob", "GET manifest", "GET manifest by digest")


def measurements(size: int) -> dict[str, Faster | Sooner]:
    """By name, for a large blob of ``size`` bytes."""
    return {
        "pull": Faster(size, speed, 2.5, 0.35),
        "hashing pull": Faster(size, speed, 1.3, 0.6),
        "pull into a file": Faster(size, speed, 2, 0.3),
        "pull into a file that shares extents": Faster(size, speed, 5, 0.1),
        "push": Faster(size, speed, 2, 0.55),
        "push from a file": Faster(size, speed, 2.5, 0.5),
        "push from a file that shares extents": Faster(size, speed, 2.5, 0.5),
        "parallel pulls": Faster(64 * 16 * MIB, speed, 3, 0.3),
        "pull over the pipe": Faster(size, speed, 2, 0.6),
        "hashing pull over the pipe": Faster(size, speed, 1, 0.7),
        "pull into a file over the pipe": Faster(size, speed, 1, 1),
        "push over the pipe": Faster(size, speed, 2, 0.55),
        "push from a file over the pipe": Faster(size, speed, 2, 0.55),
        "parallel pulls over the pipe": Faster(64 * 16 * MIB, speed, 1.3, 0.7),
        **{what: Sooner(0.3, processor=0.25) for what in SMALL},
        **{
            f"{what} by {callers} callers": Faster(1600, rate, 2.5, 0.35)
            for what in SMALL
            for callers in (4, 16, 64)
        },
        "HEAD blob beside a pull over the pipe": Sooner(0.5, 0.3, 0.4),
        "16 callers push 4 KiB": Faster(640, rate, 1.25, 0.8),
        "16 callers push 4 KiB to a disk": Faster(640, rate, 1.25, 0.8),
        "push 4 KiB": Sooner(0.8),
        "push manifest": Sooner(0.8),
        "start": Sooner(0.7, processor=0.7, show=milliseconds),
        "list tags": Sooner(1, show=milliseconds),
        "list a page of tags": Sooner(0.3, show=milliseconds),
    }


def with_pipe(times: Mapping[str, Mapping[str, Result]]) -> dict[str, Mapping[str, Result]]:
    """Adds the rows of a plugin that shares no files."""
    piped = {
        f"{what} over the pipe": {**results, PLUGIN: results[PIPE]}
        for what, results in times.items()
        if PIPE in results
    }
    return {**times, **piped}


def beside_itself(times: Mapping[str, Mapping[str, Result]], size: int) -> Iterator[Row]:
    """Rows of the plugin beside what bounds it."""

    def median(what: str) -> float:
        return statistics.median(times[what][PLUGIN].seconds)

    if {"push", "sha256"} <= times.keys():
        beside = f"SHA-256 {speed(size, median('sha256'))}"
        ratio = median("sha256") / median("push")
        yield Row("push beside SHA-256", speed(size, median("push")), beside, ratio, "≥ 0.8")
    if {UNREAD, "HEAD blob"} <= times.keys():
        alone = f"alone {microseconds(median('HEAD blob'))}"
        ratio = median(UNREAD) / median("HEAD blob")
        yield Row(f"{UNREAD}, median", microseconds(median(UNREAD)), alone, ratio, "≤ 1.2")


def memory_rows(runs: Mapping[str, Mapping[str, Memory]]) -> Iterator[Row]:
    """Of ``runs`` by kind. The one with unread pulls counts apart."""
    for kind, memory in runs.items():
        if kind == "unread":
            yield Row("peak memory, unread pulls", mebibytes(memory[PLUGIN].peak), bar="≤ 96 MiB")
    others = [memory for kind, memory in runs.items() if kind != "unread"]
    if not others:
        return
    for name, bar in (("idle", 0.35), ("peak", 0.5)):
        most = {peer: max(getattr(memory[peer], name) for memory in others) for peer in (PLUGIN, RIVAL)}
        yield compared(f"{name} memory", most, mebibytes)._replace(bar=f"≤ {bar}")
