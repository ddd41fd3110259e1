"""Our codec against the protobuf library: the same bytes, the same values, the same refusals."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire.frames import (
    edited_messages,
    frames,
    library_bytes,
    merged_messages,
    messages_astray,
    uint32,
)
from udist_plugin.errors import LocalProtocolError, RemoteProtocolError
from udist_plugin.wire import decoding, encoding, heads
from udist_plugin.wire.constants import CODES, KEPT_LENGTH, MAX_CONTROL, PREFIX_SIZE, code_name
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.encoding import encode, encode_data_head, varint
from udist_plugin.wire.frames import (
    End,
    File,
    Frame,
    GoAway,
    Log,
    Ping,
    Request,
    Reset,
    Response,
    Settings,
    WindowUpdate,
)
from udist_plugin.wire.library import decode_with_library


def outcome(message: bytes, *, library: bool) -> tuple[Frame, bytes | None] | str:
    try:
        return decode_with_library(message) if library else decode(message)
    except RemoteProtocolError as error:
        return str(error)


@given(frames)
def test_encoding_is_the_library_s(frame: Frame) -> None:
    encoded = encode(frame)
    message = library_bytes(frame)
    assert encoded == b"\0" + len(message).to_bytes(4, "big") + message


def test_the_order_of_a_map_is_that_of_its_keys() -> None:
    variables = {"AB": "2", "A": "1", "\u00e9": "4", "B": "3", "": "0"}
    message = encode(Frame(0, Settings(environment=variables)))
    assert re.findall(rb"\x12\x01(.)", message) == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("value", [0, 1, 126, 127, 128, 2**14 - 1, 2**14, 2**21 - 1, 2**21, 2**28, 2**32 - 1])
def test_a_varint_is_as_short_as_can_be(value: int) -> None:
    assert varint(value) == (library_bytes(Frame(value, Ping(1)))[1:-4] or b"\0")
    assert decode(encode(Frame(value, Ping(1)))[PREFIX_SIZE:]) == (Frame(value, Ping(1)), None)


def test_what_is_long_is_not_kept() -> None:
    """A peer's long fields, each another, would be kept for as long as the process runs."""
    half = KEPT_LENGTH // 2 + 1
    long = [("x", b"%d" % number * KEPT_LENGTH) for number in range(10, 20)]
    long += [("x" * half, b"%d" % number * (half // 2)) for number in range(10, 20)]
    long += [(f"{number}" * KEPT_LENGTH, b"") for number in range(10, 20)]
    kept = encoding._kept_field, decoding._kept_field, heads._kept_problem
    before = [cache.cache_info() for cache in kept]
    for body in (Request("GET", "http", "", "/", long), Response(200, long), End(long)):
        assert decode(encode(Frame(1, body))[PREFIX_SIZE:])[0] == Frame(1, body)
    assert heads.fields_problem(long) is None
    assert [cache.cache_info() for cache in kept] == before
    short = [("x", b"%d" % time.monotonic_ns())]
    assert decode(encode(Frame(1, End(short)))[PREFIX_SIZE:])[0] == Frame(1, End(short))
    assert heads.fields_problem(short) is None
    assert all(cache.cache_info().misses == old.misses + 1 for cache, old in zip(kept, before, strict=True))


@given(st.integers(1, 2**32 - 1), st.booleans(), st.binary(max_size=300))
def test_a_data_head_and_its_payload_are_the_library_s_frame(
    stream_id: int, end_stream: bool, payload: bytes
) -> None:
    encoded = encode_data_head(stream_id, len(payload), end_stream) + payload
    message = library_bytes(Frame(stream_id, None, end_stream), payload)
    assert encoded == b"\0" + len(message).to_bytes(4, "big") + message
    assert decode(message) == (Frame(stream_id, None, end_stream), payload)


@given(frames)
def test_what_was_encoded_is_decoded_without_the_library(frame: Frame) -> None:
    message = encode(frame)[PREFIX_SIZE:]
    assert decoding._decode(message) == (frame, None)
    assert decode_with_library(message) == (frame, None)


@given(messages_astray | edited_messages | merged_messages | st.binary(max_size=40))
@example(b"")
@example(b"\x08\x01")
@example(b"\x08\xff\xff\xff\xff\x1f\x32\x00")  # a stream id of 33 bits
@example(b"\x10\x02\x32\x00")  # a bool of 2
@example(b"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x32\x00")  # a bool of 64 bits
@example(b"\x32\x00\x7a\x01x")  # two members of the oneof: the last counts
@example(b"\x7a\x01x\x32\x00")
@example(b"\x42\x02\x08\x01\x42\x02\x18\x01")  # one submessage in two parts: merged
@example(b"\x42\x02\x08\x64")  # a code nobody knows
@example(b"\x42\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")  # a negative code
@example(b"\x42\x04\x12\x02\xc3\x28")  # text that is not UTF-8
@example(b"\x42\x05\x12\x03\xed\xa0\x80")  # a surrogate
@example(b"\x1a\x04\x08\x01\x08\x02")  # versions not packed
@example(b"\x1a\x05\x0a\x01\x01\x08\x02")  # and both ways
@example(b"\x1a\x07\x0a\x05\xff\xff\xff\xff\x7f")  # a packed number of 35 bits
@example(b"\x1a\x0c\x3a\x04\x0a\x02\x0a\x00\x3a\x04\x0a\x02\x12\x00")  # environment in two parts
@example(b"\x1a\x08\x3a\x06\x0a\x04\x12\x00\x0a\x00")  # a map's entry, value before key
@example(b"\x22\x06\x2a\x04\x0a\x00\x0a\x00")  # a field with two names
@example(b"\x22\x0a\x2a\x08\x0a\x01\xff\x12\x00\x0a\x01a")  # of which the first is not UTF-8
@example(b"\x2a\x0d\x1a\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")  # an offset of 64 bits
@example(b"\x2a\x0d\x1a\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")  # one of more
@example(b"\x2a\x08\x1a\x06\x08\xff\xff\xff\xff\x1f")  # a descriptor of 33 bits
@example(b"\x2a\x04\x1a\x00\x1a\x00")  # a file in two parts
@example(b"\x4b\x4c\x32\x00")  # a group
@example(b"\x00\x01\x32\x00")  # field number 0
def test_every_message_means_what_the_library_says(message: bytes) -> None:
    ours, theirs = outcome(message, library=False), outcome(message, library=True)
    assert ours == theirs


@pytest.mark.parametrize("number", [-1, len(CODES), 2**31 - 1])
def test_a_code_that_nobody_knows_is_unknown(number: int) -> None:
    assert code_name(number) == "UNKNOWN"


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (Frame(-1, Ping(1)), "not a number of 32 bits"),
        (Frame(2**32, Ping(1)), "not a number of 32 bits"),
        (Frame(1, Request("GET", "http", "", "/", (), 2**32)), "not a number of 32 bits"),
        (Frame(1, WindowUpdate(-5)), "not a number of 32 bits"),
        (Frame(1, Response(200, (), File(1, 0, 2**64, 0, 0, 0))), "more than 64 bits"),
        (Frame(1, Response(200, (), File(1, 0, 1, -1, 0, 0))), "more than 64 bits"),
        (Frame(0, Settings([2**32])), "not a number of 32 bits"),
        (Frame(0, Settings(environment={"A": "\udcff"})), "text that UTF-8 cannot express"),
        (Frame(0, Settings(capabilities=["\ud800"])), "text that UTF-8 cannot express"),
        (Frame(1, End([("\udcff", b"")])), "text that UTF-8 cannot express"),
        (Frame(0, Log("info", "x" * MAX_CONTROL)), "exceeds the limit of 65536"),
    ],
)
def test_what_cannot_be_expressed_is_refused_before_it_is_written(frame: Frame, problem: str) -> None:
    with pytest.raises(LocalProtocolError, match=problem):
        encode(frame)


@given(uint32)
def test_the_longest_control_frame_is_exactly_the_limit(stream_id: int) -> None:
    room = MAX_CONTROL - len(encode(Frame(stream_id, Reset("OK", "x" * 60000)))) + PREFIX_SIZE
    longest = encode(Frame(stream_id, Reset("OK", "x" * (60000 + room))))
    assert len(longest) == PREFIX_SIZE + MAX_CONTROL
    with pytest.raises(LocalProtocolError):
        encode(Frame(stream_id, Reset("OK", "x" * (60001 + room))))


def test_the_usual_frames_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start-up is why there is a codec of our own at all."""

    def forbidden(message: bytes) -> tuple[Frame, bytes | None]:
        raise AssertionError(message)

    monkeypatch.setattr("udist_plugin.wire.library.decode_with_library", forbidden)
    for body in (
        Settings(
            [1], 64, ["a"], "udist-go/1", 7, "version: 0.1", {"REGISTRY_LOG_LEVEL": "info"}, "a.yml", ["b"]
        ),
        Request("GET", "http", "localhost", "/v2/", [("accept", b"*/*")], 30_000, initial_credit=16384),
        Response(200, [("content-length", b"2")]),
        End([("digest", b"sha-256=")]),
        WindowUpdate(1 << 20),
        Reset("CANCELLED", "no longer wanted"),
        Ping(2**32 - 1, True),
        GoAway(5, "UNAVAILABLE", "closing"),
        Log("info", "hello", [("url", b"/v2/")]),
    ):
        assert decode(encode(Frame(3, body))[PREFIX_SIZE:])[0] == Frame(3, body)
