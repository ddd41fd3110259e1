"""A blob on its way here, checked while it is read."""

from __future__ import annotations

from udist_plugin.content import CHUNK_SIZE, BytesChunk, Content, can_share
from udist_plugin.errors import DigestInvalid, SizeInvalid, TransportError
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.repeating import is_passing
from udist_plugin.typed import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

    from udist_plugin.content import Chunk
    from udist_plugin.remote.transport import Response


Received = TypeVar("Received")

RESUMED: Final = 5
"""How often one blob's content is asked for again, from where it broke."""


class RemoteContent(Content):
    """A response's content of ``size`` bytes, after ``skip`` that were not asked for.

    With ``digest``, the last ``read`` verifies it, so that what was read to the end is what was asked for.
    Where it breaks, it goes on with what ``reopen`` gives: the response to a request for what is left, from
    a position on, and how many bytes of that response come before it.
    """

    def __init__(
        self,
        response: Response,
        size: int,
        digest: Digest | None = None,
        skip: int = 0,
        reopen: Callable[[int], tuple[Response, int]] | None = None,
    ) -> None:
        self.size = size
        self._reopen = reopen
        self._resumed = 0
        self._response = response
        self._left = size
        self._digest = digest
        self.verified = digest is not None
        self._hash = digest.hasher() if digest else None
        self._free: list[bytearray] = []
        self._eager = False
        self._skip(skip)

    def pass_on(self) -> None:
        """From now on whoever reads it verifies it, and takes each chunk as soon as some of it is here."""
        self._digest = self._hash = None
        self.verified = False
        self._eager = True

    def read(self, size: int = -1) -> bytes:
        """Raises ``SizeInvalid`` when bytes are missing, ``DigestInvalid`` at the end of wrong ones."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK_SIZE), b""))
        data = self._resuming(lambda: self._response.read(min(size, self._left))) if size else b""
        if size:
            self._take(data)
        return data

    def next_chunk(self) -> Chunk | None:
        """As ``read``, into a buffer that is used again once it is released: nothing is copied where the
        transport reads into one.

        The buffer takes several of a plugin's payloads: threads that share a plugin then pass on the role of
        its reader less often.
        """
        readinto = getattr(self._response, "readinto", None)
        if readinto is None:
            data = self.read(CHUNK_SIZE)
            return BytesChunk(data) if data else None
        buffer = self._free.pop() if self._free else bytearray(min(CHUNK_SIZE, self._left))
        room = memoryview(buffer)[: self._left]
        filled = 0
        try:
            while filled < len(room) and (count := self._readinto(room[filled:], first=not filled)):
                filled += count
                if self._eager:
                    break
        except TransportError:
            if not filled:
                raise
        view = room[:filled]
        self._take(view)
        return _BufferChunk(view, buffer, self._free) if view else None

    def _readinto(self, room: memoryview, *, first: bool) -> int:
        def readinto() -> int:
            once = getattr(self._response, "readinto1", None) if self._eager else None
            return (once or self._response.readinto)(room)  # type: ignore[attr-defined,no-any-return]

        return self._resuming(readinto) if first else readinto()

    def _resuming(self, read: Callable[[], Received]) -> Received:
        """What ``read`` gives, from a new response if the one at hand broke or ended early."""
        while True:
            try:
                received = read()
            except TransportError as error:
                if not is_passing(error) or not self._resume():
                    raise
            else:
                if received or not self._left or not self._resume():
                    return received

    def _resume(self) -> bool:
        if self._reopen is None or self._resumed == RESUMED:
            return False
        self._resumed += 1
        self._response.close()
        self._response, skip = self._reopen(self.size - self._left)
        self._skip(skip)
        return True

    def _skip(self, size: int) -> None:
        while size and (data := self._response.read(min(size, CHUNK_SIZE))):
            size -= len(data)

    @property
    def shared_file(self) -> FileIO | None:
        """The file that the content is in, where the transport has it open and nothing was read yet. What is
        read of it is not verified here."""
        untouched = self._digest is not None and self._left == self.size
        return getattr(self._response, "file", None) if untouched else None

    def share(self, descriptor: int, /) -> bool:
        """See ``content.Shareable``; of a part of a blob, the response may have more."""
        untouched = self._digest is not None and self._left == self.size
        return untouched and can_share(self._response) and self._response.share(descriptor)

    def _take(self, data: bytes | memoryview) -> None:
        self._left -= len(data)
        if self._left and not data:
            raise SizeInvalid({"size": self.size, "received": self.size - self._left})
        if self._hash is not None:
            self._hash.update(data)
            if not self._left:
                self._verify()

    def close(self) -> None:
        self._response.close()

    def _verify(self) -> None:
        if self._hash is not None and self._digest is not None:
            running, self._hash = self._hash, None
            check_digest(Digest.from_hash(running), self._digest)


class _BufferChunk:
    """A chunk whose buffer is free again when it is released."""

    __slots__ = ("_buffer", "_free", "view")

    def __init__(self, view: memoryview, buffer: bytearray, free: list[bytearray]) -> None:
        self.view = view
        self._buffer = buffer
        self._free = free

    def release(self) -> None:
        self._free.append(self._buffer)


def check_digest(actual: str | None, expected: Digest) -> None:
    """Raises ``DigestInvalid`` when the registry's content, or its word for it, is another's.

    Its word is not compared where it names the other algorithm, as distribution always names sha256.
    """
    if actual is not None and actual != expected and actual.startswith(f"{expected.algorithm}:"):
        raise DigestInvalid(
            {"expected": expected, "actual": actual}, "the registry's content does not match its digest"
        )


def content_length(answer: Response) -> int:
    """The response's Content-Length; raises ``SizeInvalid`` when there is none to check what comes by."""
    import re

    value = answer.header("content-length") or ""
    if not re.fullmatch(r"\d{1,19}", value, re.ASCII):
        raise SizeInvalid(
            {"content-length": value[:32]}, "the registry's response has no valid Content-Length"
        )
    return int(value)
