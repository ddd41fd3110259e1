"""What a request's body may be, as bytes to send."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed import ReadableBuffer

    class Readable(Protocol):
        """Anything with a file's ``read``, of bytes or of text."""

        def read(self, size: int = -1, /) -> ReadableBuffer | str: ...

    Piece = ReadableBuffer | str
    Body = Piece | Readable | Iterable[Piece] | None
    """Text travels as UTF-8."""


def readable(body: Any) -> memoryview | Readable | None:
    """A ``Body`` as one piece of bytes, or as something to read. Raises ``TypeError``."""
    if body is None or hasattr(body, "read"):
        return body  # type: ignore[no-any-return]
    try:
        return octets(body)
    except TypeError:
        if not hasattr(body, "__iter__"):
            raise TypeError(
                f"expected a body of bytes, text, a file or an iterable of pieces, not {_kind(body)}"
            ) from None
        return PieceReader(body)


def octets(piece: Any) -> memoryview:
    """The bytes of a piece. Raises ``TypeError`` for what has none."""
    if isinstance(piece, str):
        piece = piece.encode()
    try:
        view = memoryview(piece)
    except TypeError:
        raise TypeError(f"expected pieces of a body to be bytes or text, not {_kind(piece)}") from None
    return view.cast("B") if view.c_contiguous else memoryview(view.tobytes())


class PieceReader:
    """Reads what ``pieces`` yields, a piece at a time or less."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces: Iterator[Piece] = iter(pieces)
        self._rest = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join([self._rest, *map(octets, self._pieces)])
        while size and not self._rest:
            try:
                self._rest = octets(next(self._pieces))
            except StopIteration:
                break
        data = bytes(self._rest[:size])
        self._rest = self._rest[size:]
        return data


def _kind(value: object) -> str:
    return type(value).__name__
