"""Reading content in one go."""

from __future__ import annotations

import pytest

from udist_plugin.link.exchange import READ, Exchange


class Drops(Exchange):
    """An exchange whose content comes byte by byte."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.buffers: set[int] = set()

    def read_into(self, target: memoryview) -> int:
        if not self.left:
            return 0
        self.left -= 1
        self.buffers.add(id(target.obj))
        target[:1] = b"x"
        return 1


@pytest.mark.parametrize(("size", "expected"), [(-1, 1000), (0, 0), (7, 7), (1000, 1000), (2000, 1000)])
def test_it_is_as_much_as_was_asked_for_and_is_there(size: int, expected: int) -> None:
    assert Drops(1000).read(size) == b"x" * expected


def test_a_peer_that_sends_byte_by_byte_costs_no_buffer_for_each() -> None:
    exchange = Drops(READ + 1)
    assert len(exchange.read()) == READ + 1
    assert len(exchange.buffers) == 2


class Whole(Exchange):
    """An exchange whose content has all come."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.reads = 0

    def read_into(self, target: memoryview) -> int:
        self.reads += 1
        length = min(len(target), self.left)
        self.left -= length
        return length


def test_much_is_read_in_few_steps() -> None:
    exchange = Whole(8 << 20)
    assert len(exchange.read()) == 8 << 20
    assert exchange.reads < 100
