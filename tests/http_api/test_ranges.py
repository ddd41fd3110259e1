from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.errors import RangeInvalid
from udist_plugin.http_api.ranges import ByteRange, parse_chunk_range, parse_range

positions = st.integers(0, 20) | st.integers(0, 10**25) | st.just(int("9" * 4000))
sizes = st.integers(1, 20)


@given(positions, positions | st.none(), sizes)
def test_an_int_range_is_a_slice(first: int, last: int | None, size: int) -> None:
    field = f"bytes={first}-{'' if last is None else last}"
    expected = list(range(size))[first : size if last is None else last + 1]
    if not expected:
        with pytest.raises(RangeInvalid):
            parse_range(field, size)
    else:
        selected = parse_range(field, size)
        assert selected is not None
        assert list(range(*selected)) == expected


@given(positions, sizes)
def test_a_suffix_range_is_the_end(length: int, size: int) -> None:
    if not length:
        with pytest.raises(RangeInvalid):
            parse_range("bytes=-0", size)
    else:
        assert parse_range(f"bytes=-{length}", size) == ByteRange(max(size - length, 0), size)


@given(st.text() | st.from_regex(r"bytes=.*"), st.integers(0, 20))
def test_any_field_selects_something_everything_or_is_refused(field: str, size: int) -> None:
    try:
        selected = parse_range(field, size)
    except RangeInvalid:
        return
    assert selected is None or 0 <= selected.start < selected.end <= size


@given(st.text() | st.from_regex(r"[0-9]*-[0-9]*"))
def test_any_content_range_is_read_or_refused(field: str) -> None:
    try:
        chunk = parse_chunk_range(field)
    except RangeInvalid:
        return
    assert 0 <= chunk.start < chunk.end


@given(st.integers(0, 10**17), st.integers(0, 10**6))
def test_a_content_range_is_inclusive(first: int, more: int) -> None:
    assert parse_chunk_range(f"{first}-{first + more}") == ByteRange(first, first + more + 1)
