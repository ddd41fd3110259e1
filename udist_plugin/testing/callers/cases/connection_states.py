"""Each cell of the table in section 7: frames about the connection, and what has no place on one."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from udist_plugin.testing.callers.case import Theme
from udist_plugin.testing.callers.tables import CONNECTION_CELLS, CONNECTION_STATES
from udist_plugin.wire.constants import VERSION
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import (
    End,
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
    from udist_plugin.testing.callers.run import Run
    from udist_plugin.wire.frames import Body

theme = Theme("connection-states")

BODIES: dict[str, Body] = {
    "settings": Settings([VERSION]),
    "settings without a common version": Settings([VERSION + 1]),
    "ping": Ping(7),
    "ping with ack": Ping(7, True),
    "go_away": GoAway(0, "UNAVAILABLE", "going away"),
    "log": Log("info", "hello"),
    "request": Request("GET", "http", "localhost", "/"),
    "response": Response(200),
    "end": End(),
    "window_update": WindowUpdate(1),
    "reset": Reset("CANCELLED"),
}

ABOUT_THE_CONNECTION = ("settings", "ping", "go_away", "log")


def _bytes(name: str, *, wrong_stream: bool, end_stream: bool) -> bytes:
    stream_id = int(name.startswith(ABOUT_THE_CONNECTION) == wrong_stream)
    if name == "data":
        return encode_data_head(stream_id, 1, end_stream) + b"x"
    return encode(Frame(stream_id, BODIES[name], end_stream))


def _play(frame: bytes, about: str, state: str, cell: str, run: Run) -> None:
    early = state == CONNECTION_STATES[0]
    plugin = run.start(ready=not early)
    exchange = run.exchange()
    plugin.await_settings()
    if not early:
        run.accepted(exchange)
    plugin.raw(frame, about)
    match cell:
        case "settings":
            plugin.settings_sent()
            run.answer(exchange)
        case "ping":
            plugin.await_pong(7)
            run.answer(exchange)
        case "dropped" | "log":
            run.answer(exchange)
        case "go_away":
            exchange.fails("UNAVAILABLE", repeatable=True, saying="going away")
            plugin.end(0)
        case "**version**":
            exchange.fails("INTERNAL", "FAILED_PRECONDITION")
            run.breaks()
        case _:
            exchange.fails("INTERNAL")
            run.breaks()


def _add(row: str, name: str, *, wrong_stream: bool, end_stream: bool) -> None:
    frame = _bytes(name, wrong_stream=wrong_stream, end_stream=end_stream)
    where = (" on a stream" if "on a stream" in row else " on stream 0") if wrong_stream else ""
    what = name + where + (" with end_stream" if end_stream else "")
    for state, cell in zip(CONNECTION_STATES, CONNECTION_CELLS[row], strict=True):
        if "section 3" not in cell:
            about = f"{what}, {state}: {cell}"
            play = functools.partial(_play, frame, what, state, cell)
            theme.add(f"{what}-{state.split(' ')[0]}".replace(" ", "-"), about, play)


for _row in CONNECTION_CELLS:
    _names = re.sub(r" on (a stream|stream 0)$| with end_stream$", "", _row).split(", ")
    for _name in _names:
        _add(_row, _name, wrong_stream=" on " in _row, end_stream="end_stream" in _row)
