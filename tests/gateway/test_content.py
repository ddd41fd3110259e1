"""Content in chunks, however the network cuts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.gateway import content, reader
from udist_plugin.gateway.content import Buffers, ChunkedContent, SizedContent
from udist_plugin.gateway.reader import Reader

if TYPE_CHECKING:
    from socket import socket

REST = b"GET /next HTTP/1.1\r\n"

sizes = st.lists(st.integers(1, 3000), max_size=20)
cuts = st.lists(st.integers(1, 4000), min_size=1)


class Network:
    """A connection that gives ``data`` in pieces of ``cuts``, in turn."""

    def __init__(self, data: bytes, cuts: list[int]) -> None:
        self._data = memoryview(data)
        self._cuts = cuts

    def recv_into(self, view: memoryview) -> int:
        self._cuts = [*self._cuts[1:], self._cuts[0]]
        piece = self._data[: min(len(view), self._cuts[-1])]
        view[: len(piece)] = piece
        self._data = self._data[len(piece) :]
        return len(piece)


def reading(data: bytes, cuts: list[int]) -> Reader:
    return Reader(cast("socket", Network(data, cuts)))


def text_of(count: int) -> bytes:
    return bytes(number * 7 % 251 for number in range(count))


@given(sizes, cuts, st.integers(1, 5000))
def test_chunks(sizes: list[int], cuts: list[int], buffer: int) -> None:
    text = text_of(sum(sizes))
    data, start = b"", 0
    for size in sizes:
        data += b"%x;extension\r\n%s\r\n" % (size, text[start : start + size])
        start += size
    connection = reading(data + b"0\r\nTrailer: x\r\n\r\n" + REST, cuts)
    received = ChunkedContent(connection, Buffers())
    assert b"".join(iter(lambda: received.read(buffer), b"")) == text
    assert received.complete
    assert received.read(buffer) == b""
    assert connection.readline() == REST


@given(st.integers(0, 20_000), cuts)
def test_a_length(length: int, cuts: list[int]) -> None:
    connection = reading(text_of(length) + REST, cuts)
    received = SizedContent(connection, Buffers(), length)
    assert received.complete == (not length)
    assert received.read() == text_of(length)
    assert received.complete
    assert connection.readline() == REST


def test_buffers_are_lent_and_come_back() -> None:
    buffers = Buffers()
    length = 2 * content.SIZE + 1
    received = SizedContent(reading(text_of(length), [100_000]), buffers, length)
    lengths, lent = [], set()
    while piece := received.next_chunk():
        lengths.append(len(piece.view))
        lent.add(id(piece.view.obj))
        piece.release()
    assert lengths == [content.SIZE, content.SIZE, 1]
    assert len(lent) == 1


def test_many_buffers_are_small() -> None:
    buffers = Buffers()
    taken = [buffers.take() for _ in range(content.MANY + 5)]
    assert {len(each) for each in taken[: content.MANY]} == {content.SIZE}
    assert {len(each) for each in taken[content.MANY :]} == {content.SMALL}
    for each in taken:
        buffers.give_back(each)
    assert {len(buffers.take()) for _ in range(content.MANY)} == {content.SIZE}


def test_a_line_has_a_bound() -> None:
    connection = reading(b"x" * reader.LONGEST_LINE * 2, [1000])
    assert connection.readline() == b"x" * reader.LONGEST_LINE
    assert connection.readline(10) == b"x" * 10
