"""Frames for property tests: as values, as the generated code's messages, and as wire format gone astray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from udist_plugin.wire.constants import CODES
from udist_plugin.wire.encoding import varint
from udist_plugin.wire.frames import (
    Body,
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
from udist_plugin.wire.generated import frame_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

uint32 = st.integers(0, 2**32 - 1) | st.integers(0, 300)
uint64 = st.integers(0, 2**64 - 1) | uint32
files = st.builds(File, uint32, uint64, uint64, uint64, uint64, uint64)
text = st.text(st.characters(codec="utf-8"), max_size=20)
fields = st.lists(st.tuples(text, st.binary(max_size=20)), max_size=4)
codes = st.sampled_from(CODES)
keys = st.text(st.characters(codec="utf-8", exclude_characters="="), max_size=20).map("{}=".format)
"""Keys of maps, none the beginning of another: the library puts those in an order of its own."""

bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(
        Settings,
        st.lists(uint32, max_size=3),
        uint32,
        st.lists(text, max_size=3),
        text,
        uint32,
        st.none() | text,
        st.none() | st.dictionaries(keys, text, max_size=4),
        text,
        st.lists(text, max_size=3),
    ),
    st.builds(Request, text, text, text, text, fields, uint32, st.booleans(), st.none() | files, uint32),
    st.builds(Response, uint32, fields, st.none() | files),
    st.builds(End, fields),
    st.builds(WindowUpdate, uint32),
    st.builds(Reset, codes, text, st.booleans()),
    st.builds(Ping, uint32, st.booleans()),
    st.builds(GoAway, uint32, codes, text),
    st.builds(Log, text, text, fields),
)
frames = st.builds(Frame, uint32, bodies, st.booleans())


def library_bytes(frame: Frame, payload: bytes | None = None) -> bytes:
    """What the generated code writes for ``frame``, maps in their order."""
    message = pb.Frame(stream_id=frame.stream_id, end_stream=frame.end_stream)
    if payload is not None:
        message.data = payload
    else:
        assert frame.body is not None
        _fill(message, frame.body)
    return message.SerializeToString(deterministic=True)


def _fill(message: pb.Frame, body: Body) -> None:
    values: dict[str, Any] = body._asdict()
    for name in ("fields", "trailers"):
        if name in values:
            values[name] = [pb.Field(name=key, value=value) for key, value in values[name]]
    if values.get("file"):
        values["file"] = pb.File(**values["file"]._asdict())
    if "code" in values:
        values["code"] = CODES.index(values["code"])
    if isinstance(body, Settings) and body.environment is not None:
        values["environment"] = pb.Environment(variables=body.environment)
    name = "".join("_" + char.lower() if char.isupper() else char for char in type(body).__name__)[1:]
    part = getattr(message, name)
    part.SetInParent()
    part.MergeFrom(type(part)(**values))


def _long_varint(value: int, extra: int) -> bytes:
    """``value`` in ``extra`` bytes more than it needs."""
    short = bytearray(varint(value))
    if extra:
        short[-1] |= 0x80
        short += b"\x80" * (extra - 1) + b"\0"
    return bytes(short)


def _entry(number: int, kind: int, value: int, content: bytes, extra: int) -> bytes:
    tag = varint(number << 3 | kind)
    match kind:
        case 0:
            return tag + _long_varint(value, extra)
        case 1:
            return tag + value.to_bytes(8, "little")
        case 2:
            return tag + _long_varint(len(content), extra) + content
        case 5:
            return tag + value.to_bytes(4, "little")
        case _:
            return tag


def _message(content: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    entry = st.builds(
        _entry,
        st.integers(1, 16) | st.just(2**29 - 1),
        st.sampled_from((0, 2, 2, 2, 0, 1, 5, 3, 4)),
        uint32,
        content,
        st.sampled_from((0, 0, 0, 0, 1, 2, 5, 6)),
    )
    return st.lists(entry, max_size=4).map(b"".join)


_leaves = st.binary(max_size=6) | text.map(str.encode)
messages_astray = _message(_leaves | _message(_leaves | _message(_leaves)))
"""Wire format of any shape, three levels deep: unknown fields, repeated ones, wrong types, long varints."""


def _edited(message: bytes, edits: Sequence[tuple[float, int, bytes]]) -> bytes:
    for where, cut, put in edits:
        at = int(where * len(message))
        message = message[:at] + put + message[at + cut :]
    return message


edited_messages = st.builds(
    _edited,
    frames.map(library_bytes),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 2), st.binary(max_size=3)),
        min_size=1,
        max_size=3,
    ),
)
"""Messages of valid frames with a few bytes cut, put in or changed."""

merged_messages = st.lists(frames.map(library_bytes) | messages_astray, min_size=2, max_size=3).map(b"".join)
"""Messages behind one another, which protobuf merges into one."""
