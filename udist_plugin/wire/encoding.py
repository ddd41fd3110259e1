"""Frames to bytes: what the protobuf library would write, without loading it.

Start-up is why: the library takes as long to import as everything else. Property tests hold both equal.
"""

from __future__ import annotations

from functools import lru_cache

from udist_plugin.errors import LocalProtocolError
from udist_plugin.typed import TYPE_CHECKING, TypeVar
from udist_plugin.wire.constants import CODES, KEPT_FIELDS, KEPT_LENGTH, MAX_CONTROL
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SMALL = [bytes((value,)) for value in range(128)]
_BodyType = TypeVar("_BodyType", bound=Body)


def varint(value: int) -> bytes:
    """Base 128 varint of a uint32 (protobuf encoding guide)."""
    if 0 <= value < 128:
        return _SMALL[value]
    if 128 <= value < 1 << 14:
        return bytes((value & 0x7F | 0x80, value >> 7))
    if not 0 <= value < 1 << 32:
        raise LocalProtocolError(f"{value} is not a number of 32 bits")
    return _long_varint(value)


def _long_varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(frame: Frame) -> bytes:
    """The frame with its prefix. Raises ``LocalProtocolError`` when it cannot be expressed, or is longer
    than a frame may be."""
    message = _number(b"\x08", frame.stream_id)
    if frame.end_stream:
        message += b"\x10\x01"
    if frame.body is not None:
        tag, encoder = _ENCODERS[type(frame.body)]
        try:
            message += _length_delimited(tag, encoder(frame.body))
        except UnicodeEncodeError as error:
            raise LocalProtocolError(f"text that UTF-8 cannot express: {error}") from None
    if len(message) > MAX_CONTROL:
        raise LocalProtocolError(f"a frame of {len(message)} bytes exceeds the limit of {MAX_CONTROL}")
    return b"\0" + len(message).to_bytes(4, "big") + message


def encode_data_head(stream_id: int, length: int, end_stream: bool) -> bytes:
    """Prefix and head of a canonical data frame; the payload follows."""
    head = b"\x08" + varint(stream_id) + (b"\x10\x01\x7a" if end_stream else b"\x7a") + varint(length)
    return b"\0" + (len(head) + length).to_bytes(4, "big") + head


def _length_delimited(tag: bytes, value: bytes) -> bytes:
    return tag + varint(len(value)) + value


def _bytes(tag: bytes, value: bytes) -> bytes:
    return _length_delimited(tag, value) if value else b""


def _text(tag: bytes, value: str) -> bytes:
    return _bytes(tag, value.encode()) if value else b""


def _number(tag: bytes, value: int) -> bytes:
    return tag + varint(value) if value else b""


def _fields(tag: bytes, fields: Iterable[tuple[str, bytes]]) -> bytes:
    return b"".join(
        [
            tag + (_kept_field(name, value) if len(name) + len(value) <= KEPT_LENGTH else _field(name, value))
            for name, value in fields
        ]
    )


def _field(name: str, value: bytes) -> bytes:
    field = _text(b"\x0a", name) + _bytes(b"\x12", value)
    return varint(len(field)) + field


_kept_field = lru_cache(KEPT_FIELDS)(_field)


def _settings(body: Settings) -> bytes:
    versions = b"".join(map(varint, body.versions))
    parts = [
        _bytes(b"\x0a", versions),
        _number(b"\x10", body.max_streams),
        *(_length_delimited(b"\x1a", item.encode()) for item in body.capabilities),
        _text(b"\x22", body.implementation),
        _number(b"\x28", body.process_id),
    ]
    if body.configuration is not None:
        parts.append(_length_delimited(b"\x32", body.configuration.encode()))
    if body.environment is not None:
        entries = [
            _length_delimited(
                b"\x0a",
                _length_delimited(b"\x0a", key.encode()) + _length_delimited(b"\x12", value.encode()),
            )
            for key, value in sorted(body.environment.items())
        ]
        parts.append(_length_delimited(b"\x3a", b"".join(entries)))
    parts.append(_text(b"\x42", body.configuration_name))
    parts += [_length_delimited(b"\x4a", item.encode()) for item in body.warnings]
    return b"".join(parts)


def _request(body: Request) -> bytes:
    return b"".join(
        (
            _text(b"\x0a", body.method),
            _text(b"\x12", body.scheme),
            _text(b"\x1a", body.authority),
            _text(b"\x22", body.target),
            _fields(b"\x2a", body.fields),
            _number(b"\x30", body.timeout_ms),
            _number(b"\x38", body.accept_file),
            _file(b"\x42", body.file) if body.file else b"",
            _number(b"\x48", body.initial_credit),
        )
    )


def _response(body: Response) -> bytes:
    head = _number(b"\x08", body.status) + _fields(b"\x12", body.fields)
    return head + _file(b"\x1a", body.file) if body.file else head


def _file(tag: bytes, file: File) -> bytes:
    fd, *numbers = file
    if not all(0 <= number < 1 << 64 for number in numbers):
        raise LocalProtocolError(f"{file} has a number of more than 64 bits")
    fields = [_SMALL[field << 3] + _long_varint(value) for field, value in enumerate(numbers, 2) if value]
    return _length_delimited(tag, _number(b"\x08", fd) + b"".join(fields))


def _end(body: End) -> bytes:
    return _fields(b"\x0a", body.trailers)


def _window_update(body: WindowUpdate) -> bytes:
    return _number(b"\x08", body.credit)


def _reset(body: Reset) -> bytes:
    return (
        _number(b"\x08", CODES.index(body.code))
        + _text(b"\x12", body.message)
        + _number(b"\x18", body.unprocessed)
    )


def _ping(body: Ping) -> bytes:
    return _number(b"\x08", body.token) + _number(b"\x10", body.ack)


def _go_away(body: GoAway) -> bytes:
    return (
        _number(b"\x08", body.last_stream_id)
        + _number(b"\x10", CODES.index(body.code))
        + _text(b"\x1a", body.message)
    )


def _log(body: Log) -> bytes:
    return _text(b"\x0a", body.level) + _text(b"\x12", body.message) + _fields(b"\x1a", body.fields)


def _entry(encoder: Callable[[_BodyType], bytes], number: int) -> tuple[bytes, Callable[..., bytes]]:
    return varint(number << 3 | 2), encoder


_ENCODERS: dict[type, tuple[bytes, Callable[..., bytes]]] = {
    Settings: _entry(_settings, 3),
    Request: _entry(_request, 4),
    Response: _entry(_response, 5),
    End: _entry(_end, 6),
    WindowUpdate: _entry(_window_update, 7),
    Reset: _entry(_reset, 8),
    Ping: _entry(_ping, 9),
    GoAway: _entry(_go_away, 10),
    Log: _entry(_log, 11),
}
