"""How a push or a pull tells how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from udist_plugin.content import Readable


class Task(Protocol):
    """One file or folder on its way."""

    def reach(self, done: int) -> None:
        """``done`` bytes are through; less than before when it begins anew."""

    def end(self, how: str) -> None:
        """It is complete: ``hashed``, ``packed``, ``pushed``, ``pulled``, or ``exists`` there already."""


class Progress(Protocol):
    """Whoever wants to know."""

    def begin(self, doing: str, name: str, size: int | None) -> Task:
        """Begins ``doing`` something (``hashing``, ``packing``, ``pushing``, ``pulling``) with ``name``,
        ``size`` bytes long as far as that is known."""


class Silent:
    """Nobody wants to know."""

    def begin(self, doing: str, name: str, size: int | None) -> Task:  # noqa: ARG002
        return SILENT_TASK


class _SilentTask:
    def reach(self, done: int) -> None:
        pass

    def end(self, how: str) -> None:
        pass


SILENT = Silent()
SILENT_TASK = _SilentTask()


def watched(source: Readable, task: Task, size: int) -> Readable:
    """``source``, telling ``task`` what is read of it.

    With nobody to tell it is ``source`` itself: a transport may then let the kernel move a file.
    """
    return source if task is SILENT_TASK else _Watched(source, task, size)


class _Watched:
    def __init__(self, source: Readable, task: Task, size: int) -> None:
        self.size = size
        self._source = source
        self._task = task
        self._done = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self._done += len(data)
        self._task.reach(self._done)
        return data

    def seekable(self) -> bool:
        return hasattr(self._source, "seek")

    def tell(self) -> int:
        return self._done

    def seek(self, offset: int, /) -> int:
        self._source.seek(offset)  # type: ignore[attr-defined]
        self._done = offset
        return offset
