"""What a bounded map keeps, and what it forgets first."""

from __future__ import annotations

import pytest

from udist_plugin.storage.cache import Cache


@pytest.fixture
def cache() -> Cache[str, int]:
    """Full, with ``a`` the oldest."""
    cache: Cache[str, int] = Cache(3)
    for value, key in enumerate("abc"):
        cache.put(key, value)
    return cache


def kept(cache: Cache[str, int]) -> str:
    return "".join(key for key in "abcd" if cache.take(key) is not None)


def test_it_keeps_as_many_as_its_limit(cache: Cache[str, int]) -> None:
    assert [cache.get(key) for key in "abcd"] == [0, 1, 2, None]


def test_the_oldest_is_forgotten(cache: Cache[str, int]) -> None:
    cache.put("d", 3)
    assert kept(cache) == "bcd"


def test_what_was_looked_up_is_not_the_oldest(cache: Cache[str, int]) -> None:
    cache.get("a")
    cache.put("d", 3)
    assert kept(cache) == "acd"


def test_what_was_put_again_is_not_the_oldest(cache: Cache[str, int]) -> None:
    cache.put("a", 7)
    cache.put("d", 3)
    assert cache.get("a") == 7
    assert kept(cache) == "acd"


def test_what_was_taken_makes_room(cache: Cache[str, int]) -> None:
    assert cache.take("b") == 1
    assert cache.take("b") is None
    cache.put("d", 3)
    assert kept(cache) == "acd"
