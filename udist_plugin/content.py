"""Content on its way in and out of a registry, without copies where the kernel can move it."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import BinaryIO, Self, TypeGuard


class Content:
    """A blob, or a range of one, being read.

    ``size`` is the number of bytes from here to the end of what was asked for. ``file`` is the open file
    the bytes stand in, positioned at the first of them, when there is one: a server may then let the
    kernel move them; where ``spliceable``, it may by ``splice``. Where ``verified``, reading it to its end
    raises unless it has the digest that was asked for. Use it as a context manager, or close it.
    """

    size: int
    file: BinaryIO | None = None
    spliceable: bool = False
    verified: bool = False

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, all that is left when negative, empty at the end."""
        raise NotImplementedError

    def splice(self, pipe: int, size: int) -> int:
        """Has the kernel move up to ``size`` bytes into the empty pipe of a descriptor: as many as are there
        and it has room for. Waits for the first; 0 at the end (Linux, splice(2))."""
        raise NotImplementedError

    def close(self) -> None:
        """Gives back what the content holds; twice is once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FileContent(Content):
    """At most ``size`` bytes of an open file, from where it is positioned."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        self._open = file

    def read(self, size: int = -1) -> bytes:
        size = self.size if size < 0 else min(size, self.size)
        data = self._open.read(size) if size else b""
        self.size -= len(data)
        return data

    def close(self) -> None:
        self._open.close()


class Readable(Protocol):
    """Anything with a binary file's ``read``."""

    def read(self, size: int = -1, /) -> bytes: ...


def length_of(source: Readable) -> int | None:
    """How many bytes ``source`` has, if it has been told."""
    length: int | None = getattr(source, "content_length", None)
    return length


class Chunk(Protocol):
    """A borrowed piece of content: ``view`` is valid until ``release``, which is called exactly once."""

    @property
    def view(self) -> memoryview: ...

    def release(self) -> None: ...


class ChunkSource(Protocol):
    """A source that lends the buffers its content arrived in, so that nothing is copied."""

    def next_chunk(self) -> Chunk | None:
        """The next piece, or ``None`` at the end."""


def lends(source: object) -> TypeGuard[ChunkSource]:
    """Whether ``source`` lends its buffers. To ask a protocol itself takes longer than a small request."""
    return hasattr(source, "next_chunk")


class Shareable(Readable, Protocol):
    """A source whose content may be in a file."""

    def share(self, descriptor: int, /) -> bool:
        """Has the empty file of a descriptor share the content's extents, instead of a copy; from then on,
        the new file is what is read. ``False`` if that cannot be done, as on most file systems; then nothing
        has changed."""


def can_share(source: object) -> TypeGuard[Shareable]:
    """Whether ``source`` is one; see ``lends``."""
    return hasattr(source, "share")


class Watching(Readable, Protocol):
    """A source that others read along with, from the file that its content is written to."""

    def written_to(self, file: BinaryIO, /) -> None:
        """Takes the file, opened for it to read and to close, before the first piece is read. A piece stands
        in it when the next one is asked for."""

    def arrived(self) -> None:
        """All of it is written, and has the digest that was asked for; it may not be durable yet."""


def watches(source: object) -> TypeGuard[Watching]:
    """Whether ``source`` is one; see ``lends``."""
    return hasattr(source, "written_to")


CHUNK_SIZE = 1 << 20
"""Bytes read at a time from a source that lends no buffers of its own."""


class BytesChunk:
    """A chunk of plain bytes; releasing it does nothing."""

    __slots__ = ("view",)

    def __init__(self, data: bytes) -> None:
        self.view = memoryview(data)

    def release(self) -> None:
        pass


def chunks(source: Readable) -> Iterator[Chunk]:
    """The pieces of ``source``, lent where it lends them and read where it does not.

    The consumer releases each chunk, in any order and from any thread.
    """
    if lends(source):
        while (chunk := source.next_chunk()) is not None:
            yield chunk
        return
    while data := source.read(CHUNK_SIZE):
        yield BytesChunk(data)
