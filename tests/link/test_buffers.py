"""Buffers that are kept, and how many."""

from __future__ import annotations

import pytest

from udist_plugin.link.buffers import KEPT, SMALLEST, BufferPool


@pytest.mark.parametrize(
    ("length", "size"),
    [
        (1, SMALLEST),
        (SMALLEST, SMALLEST),
        (SMALLEST + 1, 2 * SMALLEST),
        (4 * SMALLEST, 4 * SMALLEST),
        ((1 << 20) - 1, 1 << 20),
        (1 << 20, 1 << 20),
    ],
)
def test_a_buffer_is_the_next_power_of_two(length: int, size: int) -> None:
    assert len(BufferPool().take(length)) == size


def test_what_is_given_back_is_taken_again() -> None:
    pool = BufferPool()
    small, large = pool.take(1), pool.take(1 << 20)
    pool.give_back(large)
    pool.give_back(small)
    assert pool.take(1) is small
    assert pool.take(1 << 20) is large
    assert pool.take(1) is not small


def test_no_more_is_kept_than_the_bound() -> None:
    pool = BufferPool()
    many = [pool.take(1 << 20) for _ in range((KEPT >> 20) + 3)]
    for _ in range(2):  # what is taken makes room for what is given back
        for buffer in many:
            pool.give_back(buffer)
        again = [pool.take(1 << 20) for _ in many]
        assert len({id(buffer) for buffer in many} & {id(buffer) for buffer in again}) == KEPT >> 20
        many = again


def test_the_bound_holds_for_buffers_of_several_sizes() -> None:
    pool = BufferPool()
    large = [pool.take(1 << 20) for _ in range((KEPT >> 20) - 1)]
    small = [pool.take(1) for _ in range(8)]
    for buffer in (*large, *small):
        pool.give_back(buffer)
    pool.give_back(late := BufferPool().take(1 << 20))
    assert all(pool.take(1 << 20) is not late for _ in range(KEPT >> 20))
