"""How far a push, a pull or a copy is, in lines of text."""

from __future__ import annotations

import threading
import time
from collections import deque

from udist_plugin.cli.output import printable, size_text
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

SAMPLES: Final = 40
"""Looks at what has been moved that the rate is taken from: five seconds' worth of them."""

_STEPS: Final = frozenset({"hashing", "packing", "reading", "recompressing"})
"""What is done to a file before it is moved."""


class Transfer:
    """The state of a ``push``, ``pull`` or ``copy`` (``verb``), which the threads that move files or blobs
    (``noun``) report to.

    ``clock`` gives seconds.
    """

    def __init__(self, verb: str, noun: str = "file", clock: Callable[[], float] = time.monotonic) -> None:
        self._verb = verb
        self._noun = noun
        self._clock = clock
        self._lock = threading.Lock()
        self._files = self._size = 0
        self._ended_files = self._ended_size = self._there = self._there_size = 0
        self._tasks: list[_Task] = []
        self._begun = clock()
        self._samples: deque[tuple[float, int]] = deque([(self._begun, 0)], SAMPLES)

    def expect(self, files: int, size: int) -> None:
        with self._lock:
            self._files += files
            self._size += size

    def begin(self, doing: str, name: str, size: int | None, done: Callable[[], int]) -> _Task:
        task = _Task(self, doing, printable(name), size, done)
        with self._lock:
            self._tasks.append(task)
        return task

    def lines(self) -> list[str]:
        """A line for the whole, and one for each file under way."""
        with self._lock:  # as long as it is held, no task is left
            under_way = [(task, task.done()) for task in self._tasks]
            done = self._ended_size + sum(part for task, part in under_way if not task.is_step)
            now, moved = self._clock(), done - self._there_size
            self._samples.append((now, moved))
            whole = [
                f"{self._verb}ing {self._ended_files}/{self._files} {self._noun}s",
                f"{size_text(done)} of {size_text(max(self._size, done))}",
            ]
            then, before = self._samples[0]
            if moved > before and now > then:
                rate = (moved - before) / (now - then)
                left = max(self._size - done, 0) / rate
                whole += [f"{size_text(round(rate))}/s", f"{duration_text(left)} left"]
        return ["  ".join(whole), *(f"  {task.line(part)}" for task, part in under_way)]

    def summary(self) -> str:
        """What was done, once all is over."""
        seconds = duration_text(self._clock() - self._begun)
        files = f"{self._ended_files} {self._noun}" + ("" if self._ended_files == 1 else "s")
        there = f"; {self._there} already there" if self._there else ""
        return f"{self._verb.replace('y', 'i')}ed {files}, {size_text(self._ended_size)} in {seconds}{there}"

    def leave(self, task: _Task, how: str | None) -> None:
        """``task`` has ended, as ``how`` says, or failed."""
        with self._lock:
            self._tasks.remove(task)
            if how is None or task.is_step:
                return
            self._ended_files += 1
            self._ended_size += task.size or 0
            if how == "exists":
                self._there += 1
                self._there_size += task.size or 0


class _Task:
    def __init__(
        self, transfer: Transfer, doing: str, name: str, size: int | None, done: Callable[[], int]
    ) -> None:
        self.size = size
        self.done = done
        self.is_step = doing in _STEPS
        self._transfer = transfer
        self._doing = doing
        self._name = name
        self._how: str | None = None

    def end(self, how: str) -> None:
        self._how = how

    def line(self, done: int) -> str:
        if not self.size:
            return f"{self._doing} {self._name}"
        return f"{self._doing} {100 * done // self.size:3}% of {size_text(self.size)}  {self._name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transfer.leave(self, self._how)


def duration_text(seconds: float) -> str:
    """``seconds`` as hours, minutes and seconds; below ten with a decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
