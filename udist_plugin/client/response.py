"""A response being read."""

from __future__ import annotations

import warnings
from io import BufferedWriter, FileIO

from udist_plugin.link.exchange import READ
from udist_plugin.link.file_content import FileContent
from udist_plugin.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import BinaryIO, Self

    class Content(Protocol):
        """What a response's content is read from. Reads raise ``TransportError``."""

        @property
        def ended(self) -> bool:
            """Whether nothing is left to read."""

        @property
        def trailers(self) -> Sequence[tuple[str, bytes]]: ...

        def read_into(self, target: memoryview, /) -> int: ...

        def read(self, size: int = -1, /) -> bytes: ...


class Response:
    """``status`` and ``headers`` (names in lower case, in order), and content to read.

    Every read raises ``TransportError`` when the exchange was cut: content that ended is complete. Close it,
    or use it as a context manager; content not read is dropped. One that is collected as garbage, neither
    closed nor read to its end, is closed then, with a ``ResourceWarning``.
    """

    def __init__(
        self, status: int, headers: list[tuple[str, str]], content: Content, close: Callable[[], None]
    ) -> None:
        self.status = status
        self.headers = headers
        self._content = content
        self._close = close
        self._closed = False

    def header(self, name: str) -> str | None:
        """A field's value; several are joined by a comma (RFC 9110, section 5.3)."""
        name = name.lower()
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Reads once into ``buffer``, and returns how much; 0 at the end."""
        return self._content.read_into(memoryview(buffer).cast("B"))

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end; all that is left when negative."""
        return self._content.read(size)

    def __iter__(self) -> Iterator[bytes]:
        """The content in pieces as they come."""
        return map(bytes, self._pieces())

    def copy_to(self, out: BinaryIO) -> int:
        """Writes what is left to the file ``out``, and returns how many bytes that were. If the content is in
        a file, the kernel copies it, or lets both files share its extents."""
        copied = 0
        if isinstance(self._content, FileContent) and _is_plain(out):
            out.flush()
            copied = self._content.copy_to(out.fileno())
        for piece in self._pieces():
            out.write(piece)
            copied += len(piece)
        return copied

    def share(self, descriptor: int, /) -> bool:
        """Has the empty file of a descriptor share the extents of what is left, instead of a copy; from then
        on, the new file is what is read. ``False`` if that cannot be done; then nothing has changed."""
        return isinstance(self._content, FileContent) and self._content.share(descriptor)

    @property
    def file(self) -> FileIO | None:
        """The file that all of the content is in, where the plugin shares it and nothing was read yet. It is
        open as long as the response is."""
        content = self._content
        return content.file if isinstance(content, FileContent) and content.is_whole else None

    @property
    def trailers(self) -> list[tuple[str, str]]:
        """Trailer fields, once the content has been read."""
        return [(name, value.decode("latin-1")) for name, value in self._content.trailers]

    def _pieces(self) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(READ))
        while count := self.readinto(buffer):
            yield buffer[:count]

    def close(self) -> None:
        """Drops what was not read; the plugin stops its work on it."""
        self._closed = True
        self._close()

    def __repr__(self) -> str:
        return f"<Response {self.status}>"

    def __del__(self) -> None:
        if not self._closed and not self._content.ended:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_plain(out: BinaryIO) -> bool:
    """Whether what is written to ``out`` goes into the file of its descriptor as it is: not where a class of
    the user's own counts or changes it."""
    raw = out.raw if type(out) is BufferedWriter else out
    return type(raw) is FileIO
