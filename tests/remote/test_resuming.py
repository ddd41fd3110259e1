"""A blob that breaks on its way here goes on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import BlobUnknown, Cancelled, DigestInvalid, SizeInvalid, StreamReset
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from udist_plugin.remote.transport import Body, Field

DATA = bytes(range(251)) * 20_000
BLOB = Digest.of(DATA)


class Piece:
    """A response with ``data`` that breaks after ``whole`` bytes."""

    def __init__(self, status: int, data: bytes, whole: int, how: Exception | None) -> None:
        self.status = status
        self.headers = [("content-length", str(len(data)))]
        self._data, self._left, self._how = data, whole, how
        self.closed = False

    def header(self, name: str, /) -> str | None:
        return dict(self.headers).get(name)

    def read(self, size: int = -1, /) -> bytes:
        count = min(len(self._data) if size < 0 else size, self._left)
        if self._data and not count:
            if self._how:
                raise self._how
            return b""
        data, self._data = self._data[:count], self._data[count:]
        self._left -= count
        return data

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Into(Piece):
    """One that reads into buffers, as a plugin's."""

    def readinto(self, buffer: memoryview) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Server:
    """Answers each request with a piece that breaks as planned; ``ranges`` says whether it knows them."""

    def __init__(
        self, kind: type[Piece], plan: list[tuple[int, Exception | None]], *, ranges: bool = True
    ) -> None:
        self.kind, self.plan, self.ranges = kind, plan, ranges
        self.asked: list[str] = []
        self.pieces: list[Piece] = []

    def request(
        self,
        method: str,
        target: str,
        /,
        *,
        headers: Sequence[Field] = (),
        body: Body | None = None,
        timeout: float | None = None,
    ) -> Piece:
        asked = dict(headers).get("range", "")
        self.asked.append(asked)
        whole, how = self.plan.pop(0) if self.plan else (len(DATA), None)
        start = int(asked.removeprefix("bytes=").partition("-")[0] or 0) if self.ranges and asked else 0
        self.pieces.append(self.kind(206 if start else 200, DATA[start:], whole, how))
        return self.pieces[-1]

    def close(self) -> None:
        pass


@pytest.fixture(params=[Piece, Into])
def kind(request: pytest.FixtureRequest) -> type[Piece]:
    found: type[Piece] = request.param
    return found


def read(server: Server, start: int = 0) -> bytes:
    with RemoteRegistry(server).open_blob("demo", BLOB, start) as content:
        found = bytearray()
        while chunk := content.next_chunk():  # type: ignore[attr-defined]
            found += chunk.view
            chunk.release()
        return bytes(found)


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("how", [StreamReset("broken"), None])
def test_it_goes_on_from_where_it_broke(kind: type[Piece], ranges: bool, how: Exception | None) -> None:
    server = Server(kind, [(2_000_000, how), (3_333 if ranges else 2_003_333, how)], ranges=ranges)
    assert read(server) == DATA
    assert server.asked == ["", "bytes=2000000-", "bytes=2003333-"]
    assert [piece.closed for piece in server.pieces] == [True] * 3


def test_a_part_of_a_blob_does_so_too(kind: type[Piece]) -> None:
    server = Server(kind, [(1_000_000, None)])
    assert read(server, 1_000) == DATA[1_000:]
    assert server.asked == ["bytes=1000-", "bytes=1001000-"]


def test_the_whole_is_verified(kind: type[Piece]) -> None:
    server = Server(kind, [(2_000_000, None)])
    broken = RemoteRegistry(server).open_blob("demo", Digest.of(b"other"))
    with pytest.raises(DigestInvalid):
        broken.read()


def test_it_ends_after_some_attempts(kind: type[Piece]) -> None:
    server = Server(kind, [(10, StreamReset("broken")) for _ in range(9)])
    with pytest.raises(StreamReset):
        read(server)
    assert len(server.asked) == 6
    with pytest.raises(SizeInvalid):
        read(Server(kind, [(10, None) for _ in range(9)]))


def test_what_was_cancelled_is_not_asked_for_again(kind: type[Piece]) -> None:
    server = Server(kind, [(10, Cancelled("by the test"))])
    with pytest.raises(Cancelled):
        read(server)
    assert len(server.asked) == 1


def test_a_blob_that_is_gone_meanwhile() -> None:
    class Gone(Server):
        def request(self, *words: str, **more: object) -> Piece:
            piece = super().request(*words, **more)  # type: ignore[arg-type]
            if len(self.asked) > 1:
                piece.status = 404
            return piece

    with pytest.raises(BlobUnknown):
        read(Gone(Piece, [(10, None)]))
