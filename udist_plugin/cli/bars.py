"""Progress bars on standard error, drawn by rich if it is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from udist_plugin.cli.output import printable
from udist_plugin.images.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from udist_plugin.images.progress import Progress


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Shows bars if standard error is a terminal, and nothing otherwise."""
    if not sys.stderr.isatty():
        yield SILENT
        return
    from rich import progress
    from rich.console import Console

    with progress.Progress(
        progress.TextColumn("{task.fields[doing]:<8}{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        console=Console(stderr=True),
    ) as bars:
        yield _Bars(bars)


class _Bars:
    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars

    def begin(self, doing: str, name: str, size: int | None) -> _Bar:
        return _Bar(self._bars, self._bars.add_task(printable(name), total=size, doing=doing), size)


class _Bar:
    def __init__(self, bars: RichProgress, bar: TaskID, size: int | None) -> None:
        self._bars = bars
        self._bar = bar
        self._size = size

    def reach(self, done: int) -> None:
        self._bars.update(self._bar, completed=done)

    def end(self, how: str) -> None:
        if how in ("hashed", "packed"):  # an intermediate step: its bar disappears when it is done
            self._bars.remove_task(self._bar)
        else:
            self._bars.update(self._bar, completed=self._size, doing=how)
