"""A trace for people: a line for each frame, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from udist_plugin.testing.trace.reading import Line, Trace


def heading(trace: Trace) -> str:
    """Who started what and when, and what the columns are."""
    about = trace.about
    started = f"{about.get('implementation')} started {about.get('program')} at {about.get('time')}"
    return f"{_printable(started)}\n\n{'seconds':>11}  from    stream  frame"


def shown(line: Line) -> str:
    """One line."""
    stream = line.stream_id or "-"
    last = "  end_stream" if line.end_stream else ""
    return _printable(f"{line.t:11.6f}  {line.side}  {stream:>6}  {_frame(line.kind, line.body)}{last}")


def _frame(kind: str, body: Any) -> str:
    match kind:
        case "data":
            return f"data {body}"
        case "request":
            rest = _members(body, without=("method", "scheme", "authority", "target"))
            url = f"{body.get('scheme')}://{body.get('authority', '')}"
            return f"{body.get('method')} {body.get('target')}  {url}{rest}"
        case "response":
            return f"{body.get('status')}{_members(body, without=('status',))}"
        case "window_update":
            return f"window_update {body.get('credit', 0)}"
        case "reset" | "go_away":
            return f"{kind} {body.get('code', 'OK')}{_members(body, without=('code',))}"
        case _:
            return kind + _members(body)


def _members(body: dict[str, Any], without: tuple[str, ...] = ()) -> str:
    return "".join(f"  {_member(name, value)}" for name, value in body.items() if name not in without)


def _member(name: str, value: Any) -> str:
    match name, value:
        case (("fields" | "trailers"), list()):
            return "  ".join(f"{field}: {_text(content)}" for field, content in value)
        case _, dict():
            return f"{name}={','.join(f'{key}:{_text(each)}' for key, each in value.items())}"
        case _, list():
            return f"{name}={','.join(map(str, value))}"
        case (("configuration" | "configuration_name" | "message"), _):
            return f"{name}={_text(value)}"
        case _:
            return f"{name}={value}"


def _text(value: object) -> str:
    """A number in place of text is the length of what was left out."""
    return f"<{value}>" if isinstance(value, int) else str(value)


def _printable(text: str) -> str:
    """A trace comes from anywhere: nothing of it may control the terminal."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
