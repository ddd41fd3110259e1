"""Where a frame begins and ends, decided before anything of it is buffered."""

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.typed import NamedTuple
from udist_plugin.wire.constants import MAX_CONTROL, MAX_DATA, MAX_DATA_HEAD, PREFIX_SIZE

LOOK_AHEAD = PREFIX_SIZE + 13
"""Bytes that suffice to tell a canonical data frame's head from anything else."""


class DataHead(NamedTuple):
    """The head of a canonical data frame: ``size`` bytes of prefix and head, then ``length`` of payload."""

    stream_id: int
    end_stream: bool
    length: int
    size: int


def frame_length(buffer: bytes | bytearray | memoryview, start: int = 0) -> int:
    """The length announced by the five bytes at ``start``.

    Raises ``RemoteProtocolError`` for a first byte other than 0, and for a frame longer than any may be.
    """
    check_flag(buffer[start])
    length = int.from_bytes(buffer[start + 1 : start + PREFIX_SIZE], "big")
    if length > MAX_DATA + MAX_DATA_HEAD:
        raise RemoteProtocolError(
            f"a frame of {length} bytes exceeds the limit of {MAX_DATA + MAX_DATA_HEAD}"
        )
    return length


def data_head(buffer: bytes | bytearray | memoryview, start: int, end: int) -> DataHead | None:
    """The canonical data head at ``start``, given what is known of the frame up to ``end``.

    ``None`` means that the frame is anything else, which the codec reads whole. Canonical is: stream id,
    end_stream if set, the data tag, and a length that reaches exactly the frame's end, each varint in its
    shortest form (PROTOCOL.md, "Data frames"). Raises ``RemoteProtocolError`` for a payload over the limit.
    """
    total = frame_length(buffer, start)
    position = start + PREFIX_SIZE
    stop = min(end, position + total)
    if position >= stop or buffer[position] != 0x08:
        return None
    stream_id, position = _varint(buffer, position + 1, stop)
    end_stream = position + 1 < stop and buffer[position] == 0x10 and buffer[position + 1] == 0x01
    if end_stream:
        position += 2
    if not stream_id or position >= stop or buffer[position] != 0x7A:
        return None
    length, position = _varint(buffer, position + 1, stop)
    if position < 0 or position - start - PREFIX_SIZE + length != total:
        return None
    if length > MAX_DATA:
        raise RemoteProtocolError(f"a payload of {length} bytes exceeds the limit of {MAX_DATA}")
    return DataHead(stream_id, end_stream, length, position - start)


def check_flag(byte: int) -> None:
    """Raises ``RemoteProtocolError`` for a first byte other than 0: text, most likely."""
    if byte:
        raise RemoteProtocolError(f"a frame begins with byte 0, this one with {byte:#04x}")


def check_control_length(length: int) -> None:
    """Raises ``RemoteProtocolError`` for a frame that is not canonical data and longer than such may be."""
    if length > MAX_CONTROL:
        raise RemoteProtocolError(
            f"a frame of {length} bytes that is not canonical data exceeds the limit of {MAX_CONTROL}"
        )


def _varint(buffer: bytes | bytearray | memoryview, position: int, stop: int) -> tuple[int, int]:
    """A varint of at most 32 bits in its shortest form, and the position behind it; ``(0, -1)`` if none."""
    value = shift = 0
    while 0 <= position < stop and shift < 35:
        byte = buffer[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            shortest = byte or not shift
            return (value, position) if shortest and value < 1 << 32 else (0, -1)
        shift += 7
    return 0, -1
