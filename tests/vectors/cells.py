"""Vectors for every cell of PROTOCOL.md's state tables.

What must happen is read from the text's tables; here stand only the frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.vectors import ways
from tests.vectors.conversation import Conversation
from tests.vectors.notation import encoded, frame, notation
from tests.vectors.single import get
from tests.vectors.states import states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vectors.notation import Json
    from tests.vectors.ways import Way

PEER: Final = {"caller": "plugin", "plugin": "caller"}

BODIES: Final[dict[str, Json]] = {
    "settings": {"versions": [1]},
    "request": get("/"),
    "response": {"status": 200},
    "end": {},
    "window_update": {"credit": 1},
    "reset": {},
    "ping": {"token": 7},
    "go_away": {"code": "UNAVAILABLE"},
    "log": {"level": "info", "message": "hello"},
}
"""What stands in the frames of section 7's table, beside ``data``."""


def cells() -> Iterator[Json]:
    """A vector for each way into a state: how it is reached, and each frame that may come ``next``."""
    from_caller, from_plugin, connection = states()
    for way in ways.PLUGIN:
        yield _of_stream(from_caller, "plugin", way)
    for way in ways.CALLER:
        yield _of_stream(from_plugin, "caller", way)
    for side in connection["sides"]:
        yield from _of_connection(connection, side)


def _of_stream(table: Json, side: str, way: Way) -> Json:
    about = f"{side}, {way.state}: {way.name}"
    conversation = Conversation(
        about.replace(",", "").replace(":", "").replace(" ", "-"), about, (side,), way.capability
    ).begun()
    for sender, value, event in way.steps:
        conversation.add(sender, value, event)
    steps = [
        _step(side, row, ways.ROWS[row["row"]], row["cells"][way.state])
        for row in table["rows"]
        if way.rows is None or row["row"] in way.rows
    ]
    if side == "caller":
        before = sum(step["from"] == "caller" and "request" in step["frame"] for step in conversation.steps)
        if way.state == "closed" and way.name != "skipped":
            before = 0
        for step in steps:
            _count(step, before, way.sent)
    return _vector(conversation, table, way.state, steps)


def _count(step: Json, before: int, sent: bool) -> None:
    """Adds what the caller counts as open after ``step``; nothing does after the connection."""
    closed = step.pop("closed", False)
    if "connection_error" in step["event"]:
        return
    ends = step["frame"].keys() & {"end", "end_stream"} and step["event"] != "dropped"
    closed |= step["event"] == "reset" or (sent and bool(ends))
    step["caller_slots"] = before - closed


def _of_connection(table: Json, side: str) -> Iterator[Json]:
    before, after = table["states"]
    early = Conversation(f"{side}-before-its-peer-s-settings", f"{side}, {before}", (side,))
    if side == "caller":
        early.caller(frame(settings={"versions": [1]}), "settings")
    late = Conversation(f"{side}-after-its-peer-s-settings", f"{side}, {after}", (side,)).begun()
    for conversation, state in ((early, before), (late, after)):
        rows = [row for row in table["rows"] if state in row["cells"]]
        steps = [
            _step(side, row, value, row["cells"][state]) for row in rows for value in _frames(row["row"])
        ]
        yield _vector(conversation, table, state, steps)


def _frames(row: str) -> Iterator[Json]:
    """The frames of a row about the connection: its names, and what they have in common."""
    if row == "settings without a common version":
        yield frame(settings={"versions": [2]})
        return
    names, _, kind = row.replace(" on ", " with ").partition(" with ")
    for name in names.split(", "):
        on_stream = (name not in ("settings", "ping", "go_away", "log")) != (
            kind.endswith(("stream", "stream 0"))
        )
        body = (
            {"data": b"x"}
            if name == "data"
            else {name: BODIES[name] | ({"ack": True} if kind == "ack" else {})}
        )
        yield frame(int(on_stream), last=kind == "end_stream", **body)


def _step(side: str, row: Json, value: Json, cell: Json) -> Json:
    head = {"row": row["row"], "from": PEER[side], "bytes": notation(encoded(value)), "frame": value}
    return head | cell


def _vector(conversation: Conversation, table: Json, state: str, steps: list[Json]) -> Json:
    return conversation.as_json() | {"table": table["name"], "state": state, "next": steps}
