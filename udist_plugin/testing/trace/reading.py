"""A trace as it is read from its file (``udist help trace`` defines the format)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from udist_plugin.client.trace.recorder import FORMAT
from udist_plugin.wire.constants import CODES, MAX_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KINDS: Final = frozenset(
    {
        "settings",
        "request",
        "response",
        "end",
        "window_update",
        "reset",
        "ping",
        "go_away",
        "log",
        "data",
    }
)
ENDINGS: Final = {
    "closed": "The connection was closed.",
    "limit": "The trace has reached its limit; what followed was not recorded.",
}
CUT: Final = "The trace ends here: the caller was killed, is still running, or could not write more."


_LENGTH: Final = "[0-9]{1,19}"


class NotATrace(Exception):
    """A file is no trace, one of another version, or cannot be read."""


class Line(NamedTuple):
    """One frame. ``t`` is in seconds since the start, ``side`` is ``caller`` or ``plugin``; ``body`` is the
    number of bytes for ``data``, else an object."""

    t: float
    side: str
    stream_id: int
    kind: str
    body: Any
    end_stream: bool


class Trace(NamedTuple):
    """``about`` is the first line, ``ending`` a sentence about the last."""

    about: Mapping[str, Any]
    lines: Sequence[Line]
    ending: str


def read(path: str) -> Trace:
    """Raises ``NotATrace``. A last line that is not whole is left out."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError as error:
        raise NotATrace(f"{path}: {error.strerror}") from None
    texts = text.split("\n")  # and not where Unicode would also end a line, as within a message
    about = _object(texts[0])
    if not about or "trace" not in about:
        raise NotATrace(f"{path}: not a trace: its first line does not say so")
    if about["trace"] != FORMAT:
        raise NotATrace(f"{path}: a trace of version {about['trace']!r}; this program reads {FORMAT}")
    lines: list[Line] = []
    for number, text in enumerate(texts[1:], 2):
        found = _object(text)
        if found and "end" in found:
            return Trace(about, lines, ENDINGS.get(str(found["end"]), CUT))
        line = _line(found) if found else None
        if line is None and number < len(texts):
            raise NotATrace(f"{path}:{number}: not a line of a trace")
        if line:
            lines.append(line)
    return Trace(about, lines, CUT)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _line(found: dict[str, Any]) -> Line | None:
    match found:
        case {"t": int() | float() as t, "from": "caller" | "plugin" as side, "frame": dict() as frame}:
            (kind, *others) = frame.keys() - {"stream_id", "end_stream"} or {""}
            stream_id, end_stream = frame.get("stream_id", 0), frame.get("end_stream", False)
            body = frame.get(kind)
            if kind in KINDS and not others and isinstance(stream_id, int) and _is_body(kind, body):
                return Line(t, side, stream_id, kind, body, bool(end_stream))
    return None


def _is_body(kind: str, body: Any) -> bool:
    match kind, body:
        case "data", int():
            return 0 <= body <= MAX_DATA
        case ("data", _):
            return False
        case "request", dict() if not {"method", "target"} <= body.keys():
            return False
        case _, dict():
            return all(_is_member(name, value) for name, value in body.items())
        case _:
            return False


def _is_member(name: str, value: Any) -> bool:
    """Whether ``value`` can be what a body has as ``name``; what is never sent again may be anything."""
    match name:
        case "fields" | "trailers":
            return _are_pairs(value)
        case "method" | "target" | "scheme" | "authority" | "implementation":
            return isinstance(value, str)
        case "code":
            return value in CODES
        case "timeout_ms" | "initial_credit" | "credit" | "token":
            return isinstance(value, int)
        case "file":
            return isinstance(value, dict) and bool(re.fullmatch(_LENGTH, str(value.get("length", 0))))
        case "versions":
            return isinstance(value, list) and all(isinstance(each, int) for each in value)
        case "capabilities":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case _:
            return True


def _are_pairs(pairs: Any) -> bool:
    def is_pair(pair: Any) -> bool:
        match pair:
            case [str(), str() | int()]:
                return True
            case _:
                return False

    return isinstance(pairs, list) and all(map(is_pair, pairs))
