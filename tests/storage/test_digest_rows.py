"""Digests are numbered in the order in which they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from udist_plugin.oci.digest import HEX_LENGTHS, Digest
from udist_plugin.storage.digest_rows import KEY, DigestRows


def digest(key: str, algorithm: str = "sha256") -> Digest:
    return Digest(f"{algorithm}:{key.ljust(HEX_LENGTHS[algorithm], '0')}")


@given(
    some.lists(some.binary(max_size=3).map(bytes.hex), max_size=40), some.sampled_from(sorted(HEX_LENGTHS))
)
def test_as_a_dictionary_does(keys: list[str], algorithm: str) -> None:
    rows = DigestRows()
    expected: dict[Digest, int] = {}
    for each in (digest(key, algorithm) for key in keys):
        assert rows.add(each) is (each not in expected)
        expected.setdefault(each, len(expected))
    assert len(rows) == len(expected)
    assert {each: rows.get(each) for each in expected} == expected
    assert rows.get(Digest.of(b"unknown")) is None


def test_what_stands_across_two_entries_is_no_digest() -> None:
    rows = DigestRows()
    rows.add(digest("ab" * KEY))
    across = digest("ab" * (KEY - 4) + "00000000")
    assert rows.get(across) is None
    assert rows.add(across)
    assert rows.get(across) == 1
