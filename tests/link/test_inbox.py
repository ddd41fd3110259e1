"""Where payloads are put: into the buffer of whoever waits, else into pooled ones, as few as will do."""

from __future__ import annotations

import pytest

from udist_plugin.link.buffers import SMALLEST, BufferPool
from udist_plugin.link.inbox import Inbox, PooledChunk


@pytest.fixture
def released() -> list[PooledChunk]:
    return []


@pytest.fixture
def inbox(released: list[PooledChunk]) -> Inbox:
    return Inbox(BufferPool(), released.append)


def put(inbox: Inbox, payload: bytes) -> int:
    """As the reader does; the number of places the payload was put in."""
    targets = inbox.claim(len(payload))
    filling = [inbox.filling]
    assert sum(map(len, targets)) == len(payload)
    for target in targets:
        target[:] = payload[: len(target)]
        payload = payload[len(target) :]
    inbox.settle()
    filling.append(inbox.filling)
    assert filling == [True, False]
    return len(targets)


def content(inbox: Inbox) -> list[bytes]:
    return [bytes(chunk.view) for chunk in inbox.chunks]


def test_small_payloads_share_a_buffer_until_it_is_full(inbox: Inbox) -> None:
    for _ in range(16):
        assert put(inbox, b"x" * (SMALLEST // 16)) == 1
    assert content(inbox) == [b"x" * SMALLEST]
    put(inbox, b"y")
    assert content(inbox) == [b"x" * SMALLEST, b"y"]
    put(inbox, b"z" * SMALLEST)
    assert [len(chunk) for chunk in inbox.chunks] == [SMALLEST, 1, SMALLEST]


def test_a_payload_goes_straight_to_whoever_waits(inbox: Inbox) -> None:
    target = bytearray(4)
    inbox.lent = memoryview(target)
    assert put(inbox, b"ab") == 1
    assert (bytes(target), inbox.lent_filled, content(inbox)) == (b"ab\0\0", 2, [])
    put(inbox, b"c")
    assert (inbox.lent_filled, content(inbox)) == (2, [b"c"])


def test_what_is_longer_than_the_buffer_that_waits_is_kept(inbox: Inbox) -> None:
    target = bytearray(4)
    inbox.lent = memoryview(target)
    assert put(inbox, b"abcdef") == 2
    assert (bytes(target), inbox.lent_filled, content(inbox)) == (b"abcd", 4, [b"ef"])


def test_nothing_overtakes_what_came_before(inbox: Inbox) -> None:
    put(inbox, b"ab")
    inbox.lent = memoryview(bytearray(4))
    put(inbox, b"cd")
    assert (inbox.lent_filled, content(inbox)) == (0, [b"abcd"])


def test_a_chunk_is_read_piece_by_piece(inbox: Inbox) -> None:
    put(inbox, b"abcdef")
    chunk = inbox.chunks[0]
    target = bytearray(4)
    assert (chunk.move_into(memoryview(target)), bytes(target), len(chunk)) == (4, b"abcd", 2)
    assert (chunk.move_into(memoryview(target)), bytes(target), len(chunk)) == (2, b"efcd", 0)
    put(inbox, b"gh")
    assert bytes(chunk.view) == b"gh"


def test_a_chunk_being_filled_is_out_of_reach(inbox: Inbox) -> None:
    put(inbox, b"ab")
    inbox.claim(2)
    assert content(inbox) == []
    inbox.settle()
    assert len(inbox.chunks[0]) == 4


def test_a_payload_that_was_cut_is_not_there(inbox: Inbox) -> None:
    put(inbox, b"ab")
    inbox.claim(2)
    inbox.settle(whole=False)
    assert content(inbox) == [b"ab"]
    inbox.drop()
    inbox.lent = memoryview(bytearray(1))
    inbox.claim(2)
    inbox.settle(whole=False)
    assert (inbox.lent_filled, content(inbox)) == (0, [])


def test_a_borrowed_chunk_goes_back_to_where_it_is_from(inbox: Inbox, released: list[PooledChunk]) -> None:
    put(inbox, b"ab")
    chunk = inbox.chunks.popleft()
    chunk.release()
    assert released == [chunk]


def test_what_is_dropped_is_counted_and_its_buffers_are_used_again(released: list[PooledChunk]) -> None:
    pool = BufferPool()
    inbox = Inbox(pool, released.append)
    put(inbox, b"x" * SMALLEST)
    put(inbox, b"y" * 7)
    inbox.chunks[0].move_into(memoryview(bytearray(10)))
    buffers = [chunk.buffer for chunk in inbox.chunks]
    assert inbox.drop() == SMALLEST + 7 - 10
    assert inbox.drop() == 0
    assert {id(pool.take(1)), id(pool.take(1))} == set(map(id, buffers))
