"""How the vectors write frames and bytes (README.md), and what protobuf makes of them.

Only the generated code is used here: the vectors must not come from the codec that they check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from udist_plugin.wire.generated import frame_pb2 as pb

if TYPE_CHECKING:
    from google.protobuf.message import Message

Json = dict[str, Any]
WIDE = ("offset", "length", "device", "inode", "size")
"""Numbers of 64 bits. They stand as text, as in protobuf's own JSON."""
Notation = list[Any]
"""Pieces behind one another: hexadecimal text, or ``{"repeat": hexadecimal, "times": n}``."""


def expand(notation: Notation) -> bytes:
    """The bytes that ``notation`` stands for."""
    return b"".join(
        bytes.fromhex(piece) if isinstance(piece, str) else bytes.fromhex(piece["repeat"]) * piece["times"]
        for piece in notation
    )


def notation(content: bytes) -> Notation:
    """``content`` as one piece of hexadecimal, without what it ends with many times."""
    if len(content) < 1024:
        return [content.hex()] if content else []
    rest = content.rstrip(content[-1:])
    tail = {"repeat": content[-1:].hex(), "times": len(content) - len(rest)}
    return [rest.hex(), tail] if rest else [tail]


def frame(stream_id: int = 0, *, last: bool = False, **body: Any) -> Json:
    """A frame's meaning; ``body`` is one member of the oneof, ``data`` as bytes."""
    value: Json = {"stream_id": stream_id} if stream_id else {}
    if last:
        value["end_stream"] = True
    if "data" in body:
        body["data"] = notation(body["data"])
    return value | body


def prefixed(message: bytes) -> bytes:
    """A message as it stands on the wire."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def encoded(value: Json) -> bytes:
    """The one way in which to write a frame: fields in the order of their numbers, maps in that of keys."""
    return prefixed(message(value).SerializeToString(deterministic=True))


def message(value: Json) -> pb.Frame:
    """The frame as the generated code has it."""
    result = pb.Frame(stream_id=value.get("stream_id", 0), end_stream=value.get("end_stream", False))
    for name in value.keys() - {"stream_id", "end_stream"}:
        if name == "data":
            result.data = expand(value["data"])
        else:
            part = getattr(result, name)
            part.SetInParent()
            _fill(part, value[name])
    return result


def _fill(part: Message, values: Json) -> None:
    for name, value in values.items():
        if name in WIDE:
            setattr(part, name, int(value))
        elif name in ("fields", "trailers"):
            getattr(part, name).extend(
                pb.Field(name=key, value=text.encode("latin-1")) for key, text in value
            )
        elif name in ("versions", "capabilities", "warnings"):
            getattr(part, name).extend(value)
        elif name == "environment":
            part.environment.SetInParent()  # type: ignore[attr-defined]
            part.environment.variables.update(value)  # type: ignore[attr-defined]
        elif name == "file":
            part.file.SetInParent()  # type: ignore[attr-defined]
            _fill(part.file, value)  # type: ignore[attr-defined]
        elif name == "code":
            setattr(part, name, next(number for key, number in pb.Code.items() if _code(key) == value))
        else:
            setattr(part, name, value)


def _code(name: str) -> str:
    return "OK" if name == "CODE_OK_UNSPECIFIED" else name.removeprefix("CODE_")
