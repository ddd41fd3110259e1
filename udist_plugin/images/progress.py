"""How a push or a pull tells how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from udist_plugin.content import chunks, may_share

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from udist_plugin.content import Chunk, Readable


class Task(Protocol):
    """One step of one file or folder. Leaving its ``with`` without ``end`` means that the step failed."""

    def end(self, how: str) -> None:
        """It is complete: ``hashed``, ``packed``, ``pushed``, ``pulled``, or ``exists`` there already."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Progress(Protocol):
    """Whoever wants to know. Called from several threads."""

    def expect(self, files: int, size: int) -> None:
        """There are ``files`` more files and folders to transfer, and ``size`` more bytes."""

    def begin(self, doing: str, name: str, size: int | None, done: Callable[[], int]) -> Task:
        """Begins ``doing`` something (``hashing``, ``packing``, ``pushing``, ``pulling``) with ``name``,
        ``size`` bytes long as far as that is known.

        ``done`` tells how many bytes are through, fewer than before when it begins anew. It can be called
        from any thread until the task is left: asking for it costs a transfer nothing, being told would.
        """


class Silent:
    """Nobody wants to know."""

    def expect(self, files: int, size: int) -> None:
        pass

    def begin(self, doing: str, name: str, size: int | None, done: Callable[[], int]) -> Task:  # noqa: ARG002
        return _SILENT_TASK


class _SilentTask:
    def end(self, how: str) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


SILENT = Silent()
_SILENT_TASK = _SilentTask()


class Counted:
    """``content``, counting what is read of it."""

    def __init__(self, content: Readable) -> None:
        self._content = content
        self._chunks = chunks(content)
        self._done = 0

    def done(self) -> int:
        return self._done

    def read(self, size: int = -1, /) -> bytes:
        data = self._content.read(size)
        self._done += len(data)
        return data

    def share(self, descriptor: int, /) -> bool:
        return may_share(self._content) and self._content.share(descriptor)

    def next_chunk(self) -> Chunk | None:
        chunk = next(self._chunks, None)
        self._done += len(chunk.view) if chunk else 0
        return chunk
