"""The frames to send for those of a trace: what was left out is not sent, and places are the new plugin's."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from udist_plugin.wire.frames import (
    End,
    GoAway,
    Ping,
    Request,
    Reset,
    Settings,
    WindowUpdate,
)

if TYPE_CHECKING:
    from udist_plugin.testing.trace.reading import Line
    from udist_plugin.wire.frames import Body, Fields

_LEFT_OUT = re.compile(r"<\d+>")


class Places:
    """Where the recorded plugin had something, and where the one of the replay has it."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[set[str], str]] = {}

    def learn(self, recorded: str, replayed: str) -> None:
        """Both plugins have answered with a location: these."""
        path, query = _divided(recorded)
        self._places[path] = {_name(each) for each in query}, _origin_form(replayed)

    def restored(self, target: str) -> str:
        """``target`` as the replay has to send it."""
        path, query = _divided(target)
        place = path
        if path in self._places:
            names, place = self._places[path]
            query = [each for each in query if _name(each) not in names]
        kept = "&".join(each for each in query if not _LEFT_OUT.search(each))
        return f"{place}{'&' if '?' in place else '?'}{kept}" if kept else place


def restored(line: Line, places: Places) -> Body:
    """The body of a frame that is no data."""
    body: dict[str, Any] = line.body
    match line.kind:
        case "settings":
            versions, capabilities = body.get("versions", ()), body.get("capabilities", ())
            return Settings(versions, 0, capabilities, body.get("implementation", ""), os.getpid())
        case "request":
            return Request(
                body["method"],
                body.get("scheme", ""),
                body.get("authority", ""),
                places.restored(body["target"]),
                _fields(body.get("fields", ())),
                body.get("timeout_ms", 0),
                initial_credit=body.get("initial_credit", 0),
            )
        case "end":
            return End(_fields(body.get("trailers", ())))
        case "window_update":
            return WindowUpdate(body.get("credit", 0))
        case "reset":
            return Reset(body.get("code", "OK"), "replayed")
        case "ping":
            return Ping(body.get("token", 0), body.get("ack", False))
        case _:
            return GoAway(0, body.get("code", "OK"))


def _fields(pairs: Any) -> Fields:
    return [(name, value.encode("latin-1")) for name, value in pairs if isinstance(value, str)]


def _divided(url: str) -> tuple[str, list[str]]:
    path, _, query = _origin_form(url).partition("?")
    return path, query.split("&") if query else []


def _origin_form(url: str) -> str:
    """Without scheme, host and fragment."""
    return re.sub(r"^[a-z]+://[^/?#]*", "", url).partition("#")[0] or "/"


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]
