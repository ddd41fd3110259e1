"""The messages of a gRPC call to bytes and back (PROTOCOL.md, "gRPC"), without loading the protobuf library.

A payload is the last thing in its message, so it is neither parsed nor copied on the way in.
"""

from __future__ import annotations

from udist_plugin.errors import LocalProtocolError
from udist_plugin.typed import TYPE_CHECKING, Any, Final, NamedTuple
from udist_plugin.wire.constants import MAX_CONTROL, MAX_DATA
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.encoding import encode, varint
from udist_plugin.wire.frames import End, Frame, Request, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PART: Final = MAX_DATA + MAX_CONTROL
"""The largest message of a call, in bytes."""

_HEAD, _CREDIT, _END, _DATA = 0x0A, 0x10, 0x1A, 0x7A
_REQUEST, _RESPONSE, _FRAME_END = 0x22, 0x2A, 0x32
"""Tags of the same messages in a frame."""
_PREFIX: Final = 5
_PLAIN_END: Final = End([])


class Part(NamedTuple):
    """What one message of a call carries; ``data`` is not empty if there is content."""

    head: Request | Response | None = None
    credit: int = 0
    end: End | None = None
    data: bytes | memoryview = b""


def encode_part(part: Part, data: Sequence[bytes | memoryview] = ()) -> bytes:
    """The message. ``data`` are pieces of a payload, if it is not whole in the part.

    Raises ``LocalProtocolError`` for what a message cannot express or has no room for.
    """
    pieces: list[bytes | memoryview] = []
    if part.head is not None:
        pieces.append(_submessage(_HEAD, part.head))
    if part.credit:
        pieces.append(b"\x10" + varint(part.credit))
    if part.end is not None:
        pieces.append(_submessage(_END, part.end) if part.end.trailers else b"\x1a\x00")
    payload = data or ((part.data,) if part.data else ())
    if payload:
        pieces += (b"\x7a", varint(sum(map(len, payload))), *payload)
    message = b"".join(pieces)
    if len(message) > MAX_PART:
        raise LocalProtocolError(f"a message of {len(message)} bytes exceeds the limit of {MAX_PART}")
    return message


def _submessage(tag: int, body: Request | Response | End) -> bytes:
    """A frame is a tag and the same message."""
    return bytes((tag,)) + encode(Frame(0, body))[_PREFIX + 1 :]


def decode_request_part(message: bytes) -> Part:
    """What a message of the caller carries. Raises ``RemoteProtocolError`` when it is not one."""
    return _decode(message, _REQUEST)


def decode_response_part(message: bytes) -> Part:
    """What a message of the plugin carries. Raises ``RemoteProtocolError`` when it is not one."""
    return _decode(message, _RESPONSE)


def _decode(message: bytes, head_tag: int) -> Part:
    try:
        return _usual(message, head_tag)
    except (_Unusual, IndexError):
        from udist_plugin.wire.library import normalized_part

        return _usual(normalized_part(message, request=head_tag == _REQUEST), head_tag)


class _Unusual(Exception):
    """Not a shape that is read here: the library's rules decide."""


def _usual(message: bytes, head_tag: int) -> Part:
    """Fields in their order, each once; ``head_tag`` is that of the head in a frame."""
    head: Request | Response | None = None
    end: End | None = None
    credit = position = last = 0
    data: bytes | memoryview = b""
    while position < len(message):
        tag = message[position]
        value, position = _varint(message, position + 1)
        if tag <= last:
            raise _Unusual
        last = tag
        if tag == _CREDIT:
            credit = value
            continue
        stop = position + value
        if stop > len(message):
            raise _Unusual
        if tag == _DATA:
            data = memoryview(message)[position:stop]
        elif tag == _HEAD:
            head = _body(head_tag, message[position:stop])
        elif tag == _END:
            end = _body(_FRAME_END, message[position:stop]) if value else _PLAIN_END
        else:
            raise _Unusual
        position = stop
    return Part(head, credit, end, data)


def _body(tag: int, message: bytes) -> Any:
    return decode(bytes((tag,)) + varint(len(message)) + message)[0].body


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """A number of at most 32 bits, and where it ends."""
    value = shift = 0
    while shift < 35:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            if value >> 32:
                break
            return value, position
        shift += 7
    raise _Unusual
