"""Frames off a descriptor: any bytes, however they are cut into pieces, give the same frames."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire.frames import frames, messages_astray
from tests.wire.sides import payload_of
from udist_plugin.errors import RemoteProtocolError
from udist_plugin.link.input import FrameInput, Interrupted
from udist_plugin.wire.constants import MAX_CONTROL, MAX_DATA, MAX_DATA_HEAD, PREFIX_SIZE
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.framing import DataHead, data_head
from udist_plugin.wire.library import decode_with_library

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

PIPE = 64 << 10
"""What a pipe takes at once, everywhere."""

Item = DataHead | bytes | str
"""A data head, behind it its payload; another frame's message; at last an error's text or "end"."""


def read_all(data: bytes, cuts: list[int], *, interrupted: bool = False) -> list[Item]:
    """What ``FrameInput`` makes of ``data``, given piece by piece, each only once all before it was read; its
    waits are ``interrupted`` all or none."""
    ends = sorted({0, *cuts, *range(0, len(data), PIPE), len(data)})
    pieces = [data[start:end] for start, end in pairwise(end for end in ends if end <= len(data))]
    source, sink = os.pipe()
    os.set_blocking(source, False)
    sinks = [sink]

    def feed(_: float | None) -> None:
        if pieces:
            os.write(sink, pieces.pop(0))
        else:
            os.close(sinks.pop())
        if interrupted:
            raise Interrupted

    items: list[Item] = []
    reader = FrameInput(source, feed, None)
    try:
        while (item := again_and_again(reader.next)) is not None:
            items.append(item)
            if isinstance(item, DataHead):
                items.append(payload_of(reader, item.length))
        items.append("end")
    except RemoteProtocolError as error:
        items.append(str(error))
    finally:
        for fd in (source, *sinks):
            os.close(fd)
    return items


def again_and_again(read: Callable[[], Result]) -> Result:
    """What ``read`` returns when it is not interrupted any more."""
    while True:
        with suppress(Interrupted):
            return read()


def prefixed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def data_frame(stream_id: int, length: int, end_stream: bool) -> tuple[bytes, list[Item]]:
    head = encode_data_head(stream_id, length, end_stream)
    payload = bytes(range(256)) * (length // 256) + bytes(length % 256)
    return head + payload, [DataHead(stream_id, end_stream, length, len(head)), payload]


def control_frame(data: bytes) -> tuple[bytes, list[Item]]:
    return data, [data[PREFIX_SIZE:]]


parts = st.lists(
    st.builds(
        data_frame,
        st.sampled_from((1, 127, 128, 2**31 - 1, 2**32 - 1)),
        st.sampled_from((0, 1, 127, 128, 505, 5000, 70_000)),
        st.booleans(),
    )
    | frames.map(encode).map(control_frame),
    max_size=6,
)
cuts = st.lists(st.integers(0, 2000), max_size=12)


@given(parts, cuts)
def test_frames_come_as_they_were_written(parts: list[tuple[bytes, list[Item]]], cuts: list[int]) -> None:
    data = b"".join(part for part, _ in parts)
    expected = [item for _, items in parts for item in items] + ["end"]
    assert read_all(data, cuts) == expected
    assert read_all(data, cuts, interrupted=True) == expected


@given(parts.filter(bool), cuts, st.floats(0, 1, exclude_max=True))
def test_a_frame_that_is_cut_short_is_an_error(
    parts: list[tuple[bytes, list[Item]]], cuts: list[int], where: float
) -> None:
    last, _ = parts[-1]
    left = max(1, int(where * len(last)))
    data = b"".join(part for part, _ in parts[:-1]) + last[:left]
    *items, error = read_all(data, cuts)
    whole = [item for _, expected in parts[:-1] for item in expected]
    assert items[: len(whole)] == whole
    assert str(error).startswith("the stream ended within a frame")


@given(
    st.lists(messages_astray.map(prefixed) | st.binary(max_size=30) | frames.map(encode), max_size=5).map(
        b"".join
    ),
    cuts,
)
def test_pieces_never_matter(data: bytes, cuts: list[int]) -> None:
    assert read_all(data, cuts) == read_all(data, [])
    assert read_all(data, cuts, interrupted=True) == read_all(data, [])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"Hello, world\n", "a frame begins with byte 0, this one with 0x48"),
        (b"\x01\0\0\0\0", "a frame begins with byte 0, this one with 0x01"),
        (b"\0\xff\xff\xff\xff", "a frame of 4294967295 bytes exceeds the limit of 1048608"),
        (b"\0" + (MAX_DATA + MAX_DATA_HEAD + 1).to_bytes(4, "big"), "a frame of 1048609 bytes exceeds"),
        (
            encode_data_head(1, MAX_DATA + 1, False) + bytes(16),
            "a payload of 1048577 bytes exceeds the limit of 1048576",
        ),
        (
            prefixed(bytes(MAX_CONTROL + 1)),
            "a frame of 65537 bytes that is not canonical data exceeds the limit of 65536",
        ),
        (
            prefixed(b"\x08\x01\x10\x00\x7a" + b"\x80\x80\x04" + bytes(MAX_CONTROL)),
            "a frame of 65544 bytes that is not canonical data exceeds the limit of 65536",
        ),
    ],
)
def test_what_is_no_frame_is_refused_before_it_is_buffered(data: bytes, error: str) -> None:
    """The frame's rest never comes, and is not waited for."""
    before, problem = read_all(prefixed(b"x") + data[:24], [])
    assert before == b"x"
    assert str(problem).startswith(error)


def test_the_largest_frames_are_taken() -> None:
    largest, items = data_frame(2**31 - 1, MAX_DATA, True)
    control = prefixed(bytes(MAX_CONTROL))
    assert read_all(largest + control, []) == [*items, control[PREFIX_SIZE:], "end"]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"\x7a\x01x", id="no stream"),
        pytest.param(b"\x08\x00\x7a\x01x", id="stream 0"),
        pytest.param(b"\x08\x81\x00\x7a\x01x", id="stream id not in its shortest form"),
        pytest.param(b"\x08\x81\x80\x80\x80\x10\x7a\x01x", id="stream id of 33 bits"),
        pytest.param(b"\x08\x81\x80\x80\x80\x80\x00\x7a\x01x", id="stream id of six bytes"),
        pytest.param(b"\x08\x01\x10\x00\x7a\x01x", id="end_stream set to false"),
        pytest.param(b"\x08\x01\x10\x02\x7a\x01x", id="end_stream of 2"),
        pytest.param(b"\x08\x01\x10\x81\x00\x7a\x01x", id="end_stream not in its shortest form"),
        pytest.param(b"\x08\x01\x10\x01\x10\x01\x7a\x01x", id="end_stream twice"),
        pytest.param(b"\x10\x01\x08\x01\x7a\x01x", id="end_stream first"),
        pytest.param(b"\x08\x01\x7a\x81\x00x", id="length not in its shortest form"),
        pytest.param(b"\x08\x01\x7a\x01xy", id="a byte behind the payload"),
        pytest.param(b"\x08\x01\x7a\x02x", id="a payload beyond the frame"),
        pytest.param(b"\x08\x01\x7a\x01x\x10\x01", id="end_stream behind the payload"),
        pytest.param(b"\x7a\x01x\x08\x01", id="the payload first"),
        pytest.param(b"\x08\x01\x7a", id="no length"),
        pytest.param(b"\x08", id="a tag alone"),
        pytest.param(b"\x08\x01\x10", id="no end_stream behind its tag"),
        pytest.param(b"\x08\x01\x22\x00", id="another frame"),
        pytest.param(b"\x08\x01\x7a\xff\xff\xff\xff\xff", id="a length without end"),
    ],
)
def test_what_is_not_canonical_is_left_to_the_library(message: bytes) -> None:
    frame = prefixed(message)
    assert data_head(frame, 0, len(frame)) is None
    assert read_all(frame, []) == [message, "end"]


@given(st.binary(max_size=12).map(lambda tail: b"\x08" + tail) | messages_astray)
@example(b"\x08\x01\x7a\x00")
@example(b"\x08\x01\x10\x01\x7a\x02ab")
@example(b"\x08\xff\xff\xff\xff\x0f\x7a\x00")
def test_canonical_is_what_the_encoder_writes(message: bytes) -> None:
    frame = prefixed(message)
    head = data_head(frame, 0, len(frame))
    try:
        value, payload = decode_with_library(message)
    except RemoteProtocolError:
        assert head is None
        return
    expected = encode_data_head(value.stream_id, len(payload or b""), value.end_stream)
    if payload is not None and value.stream_id and expected + payload == frame:
        assert head == DataHead(value.stream_id, value.end_stream, len(payload), len(expected))
    else:
        assert head is None
