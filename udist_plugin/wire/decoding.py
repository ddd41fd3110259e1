"""Bytes to frames: the shapes that peers send, read here; every other, by the protobuf library.

What this file does not recognise at once (an unknown field, one given twice, a long varint, text that is
not UTF-8) is not judged here: the library's rules decide.
"""

from __future__ import annotations

from functools import lru_cache

from udist_plugin.typed import TYPE_CHECKING, Any
from udist_plugin.wire.constants import KEPT_FIELDS, KEPT_LENGTH, code_name
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Unusual(Exception):
    """Not a shape this file reads."""


def decode(message: bytes) -> tuple[Frame, bytes | None]:
    """The frame that ``message`` (without its prefix) carries, and its payload if it is a data frame.

    Raises ``RemoteProtocolError`` when it is not a ``Frame``, or one without a body known to version 1.
    """
    try:
        return _decode(message)
    except (_Unusual, IndexError, UnicodeDecodeError):
        from udist_plugin.wire.library import decode_with_library

        return decode_with_library(message)


def _decode(message: bytes) -> tuple[Frame, bytes | None]:
    stream_id = 0
    end_stream = False
    body: Any = None
    payload: bytes | None = None
    last = 0
    for number, value in _entries(message):
        if number <= last:
            raise _Unusual
        last = number
        if number == 1:
            stream_id = _integer(value)
        elif number == 2:
            end_stream = bool(_integer(value))
        elif body is not None or payload is not None:
            raise _Unusual
        elif number == 15:
            payload = _string(value)
        else:
            body = _decoder(number)(_string(value))
    if payload is not None:
        return Frame(stream_id, None, end_stream), payload
    if body is None:
        raise _Unusual
    return Frame(stream_id, body, end_stream), None


def _entries(message: bytes, bits: int = 32) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers below 16 and their values: varints of at most ``bits``, or bytes."""
    position = 0
    end = len(message)
    while position < end:
        tag = message[position]
        kind = tag & 7
        if tag & 0x80 or tag < 8:
            raise _Unusual
        value = message[position + 1]
        position += 2
        if value & 0x80:
            value, position = _long_varint(message, position - 1, bits)
        if kind == 0:
            yield tag >> 3, value
        elif kind == 2 and position + value <= end:
            yield tag >> 3, message[position : position + value]
            position += value
        else:
            raise _Unusual


def _long_varint(message: bytes, position: int, bits: int = 32) -> tuple[int, int]:
    value = shift = 0
    while shift < bits:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            if value >> bits:
                break
            return value, position
        shift += 7
    raise _Unusual


def _integer(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise _Unusual
    return value


def _string(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise _Unusual
    return value


def _once(message: bytes) -> dict[int, Any]:
    """The entries of a message without repeated fields."""
    entries: dict[int, Any] = {}
    for number, value in _entries(message):
        if number in entries:
            raise _Unusual
        entries[number] = value
    return entries


def _field(value: bytes) -> tuple[str, bytes]:
    name = content = b""
    last = 0
    for number, part in _entries(value):
        if number <= last or number > 2:
            raise _Unusual
        last = number
        if number == 1:
            name = _string(part)
        else:
            content = _string(part)
    return name.decode(), content


_kept_field = lru_cache(KEPT_FIELDS)(_field)


def _mixed(message: bytes, repeated: int) -> tuple[dict[int, Any], list[tuple[str, bytes]]]:
    """Single fields by number, and the repeated ``Field`` messages under ``repeated``."""
    single: dict[int, Any] = {}
    fields: list[tuple[str, bytes]] = []
    for number, value in _entries(message):
        if number == repeated:
            field = _string(value)
            fields.append(_kept_field(field) if len(field) <= KEPT_LENGTH else _field(field))
        elif number in single:
            raise _Unusual
        else:
            single[number] = value
    return single, fields


def _take_text(single: dict[int, Any], number: int) -> str:
    return _string(single.pop(number, b"")).decode()


def _take_integer(single: dict[int, Any], number: int) -> int:
    return _integer(single.pop(number, 0))


def _all_taken(single: dict[int, Any]) -> None:
    if single:
        raise _Unusual


def _settings(message: bytes) -> Settings:
    single: dict[int, Any] = {}
    capabilities: list[str] = []
    warnings: list[str] = []
    for number, value in _entries(message):
        if number in (3, 9):
            (capabilities if number == 3 else warnings).append(_string(value).decode())
        elif number in single:
            raise _Unusual
        else:
            single[number] = value
    settings = Settings(
        _packed(_string(single.pop(1, b""))),
        _take_integer(single, 2),
        capabilities,
        _take_text(single, 4),
        _take_integer(single, 5),
        _take_text(single, 6) if 6 in single else None,
        _environment(_string(single.pop(7))) if 7 in single else None,
        _take_text(single, 8),
        warnings,
    )
    _all_taken(single)
    return settings


def _packed(value: bytes) -> list[int]:
    numbers: list[int] = []
    position = 0
    while position < len(value):
        number, position = _long_varint(value, position)
        numbers.append(number)
    return numbers


def _environment(message: bytes) -> dict[str, str]:
    variables: dict[str, str] = {}
    for number, value in _entries(message):
        if number != 1:
            raise _Unusual
        name, content = _field(_string(value))  # a map's entry has the shape of a Field
        variables[name] = content.decode()
    return variables


def _request(message: bytes) -> Request:
    """With the fewest steps: every exchange has one."""
    texts = ["", "", "", ""]
    fields: list[tuple[str, bytes]] = []
    timeout = credit = last = 0
    accept_file = False
    file: File | None = None
    for number, value in _entries(message):
        if number == 5:
            field = _string(value)
            fields.append(_kept_field(field) if len(field) <= KEPT_LENGTH else _field(field))
        elif number <= last or number > 9:
            raise _Unusual
        elif number == 6:
            timeout = _integer(value)
        elif number == 7:
            accept_file = bool(_integer(value))
        elif number == 8:
            file = _file(_string(value))
        elif number == 9:
            credit = _integer(value)
        else:
            texts[number - 1] = _string(value).decode()
        last = number
    method, scheme, authority, target = texts
    return Request(method, scheme, authority, target, fields, timeout, accept_file, file, credit)


def _response(message: bytes) -> Response:
    single, fields = _mixed(message, 2)
    file = _file(_string(single.pop(3))) if 3 in single else None
    head = Response(_take_integer(single, 1), fields, file)
    _all_taken(single)
    return head


def _file(message: bytes) -> File:
    numbers = [0] * 6
    last = 0
    for number, value in _entries(message, 64):
        if number <= last or number > 6:
            raise _Unusual
        numbers[number - 1] = _integer(value)
        last = number
    if numbers[0] >> 32:
        raise _Unusual
    return File(*numbers)


def _end(message: bytes) -> End:
    single, fields = _mixed(message, 1)
    _all_taken(single)
    return End(fields)


def _window_update(message: bytes) -> WindowUpdate:
    single = _once(message)
    update = WindowUpdate(_take_integer(single, 1))
    _all_taken(single)
    return update


def _reset(message: bytes) -> Reset:
    single = _once(message)
    reset = Reset(code_name(_take_integer(single, 1)), _take_text(single, 2), bool(_take_integer(single, 3)))
    _all_taken(single)
    return reset


def _ping(message: bytes) -> Ping:
    single = _once(message)
    ping = Ping(_take_integer(single, 1), bool(_take_integer(single, 2)))
    _all_taken(single)
    return ping


def _go_away(message: bytes) -> GoAway:
    single = _once(message)
    away = GoAway(_take_integer(single, 1), code_name(_take_integer(single, 2)), _take_text(single, 3))
    _all_taken(single)
    return away


def _log(message: bytes) -> Log:
    single, fields = _mixed(message, 3)
    log = Log(_take_text(single, 1), _take_text(single, 2), fields)
    _all_taken(single)
    return log


def _decoder(number: int) -> Callable[[bytes], Any]:
    if not 3 <= number < 12:
        raise _Unusual
    return _DECODERS[number - 3]


_DECODERS = (_settings, _request, _response, _end, _window_update, _reset, _ping, _go_away, _log)
