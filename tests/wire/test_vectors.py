"""The golden vectors (tests/vectors/README.md), run by this implementation."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from tests.vectors import generate
from tests.vectors.notation import Json, expand
from tests.wire.categories import CATEGORIES
from tests.wire.sides import Caller, Plugin, Side, payload_of, read
from udist_plugin.errors import RemoteProtocolError
from udist_plugin.link.input import FrameInput
from udist_plugin.wire import frames as values
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import Frame, GoAway, Reset
from udist_plugin.wire.framing import DataHead, data_head

FRAMES = generate.load("frames.json")
INVALID = generate.load("invalid.json")
CONVERSATIONS = generate.load("conversations.json")
CELLS = generate.load("cells.json")
TABLES = generate.load("states.json")


def by_name(vectors: list[Json]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


def value_of(meaning: Json) -> tuple[Frame, bytes | None]:
    """What the vectors' notation of a frame stands for, and its payload."""
    meaning = dict(meaning)
    frame = Frame(meaning.pop("stream_id", 0), None, meaning.pop("end_stream", False))
    ((name, content),) = meaning.items()
    if name == "data":
        return frame, expand(content)
    kind = getattr(values, name.title().replace("_", ""))
    defaults: Json = {"code": "OK", "message": "", "last_stream_id": 0, "token": 0, "credit": 0, "status": 0}
    given = {key: value for key, value in defaults.items() if key in kind._fields} | content
    for key in ("fields", "trailers"):
        if key in kind._fields:
            given[key] = [(field, text.encode("latin-1")) for field, text in given.get(key, ())]
    for key in ("versions", "capabilities", "warnings"):
        if key in kind._fields:
            given.setdefault(key, [])
    if "file" in given:
        told = dict.fromkeys(values.File._fields, 0) | given["file"]
        given["file"] = values.File(**{key: int(number) for key, number in told.items()})
    return frame._replace(body=kind(**given)), None


def test_the_files_are_current() -> None:
    for name, vectors in generate.generate().items():
        current = (generate.FOLDER / name).read_text()
        assert current == generate.text(vectors), "run: python -m tests.vectors.generate"


def test_names_are_unique() -> None:
    for vectors in map(generate.load, generate.generate().keys() - {"states.json"}):
        assert len({vector["name"] for vector in vectors}) == len(vectors)


@by_name(FRAMES)
def test_frame(vector: Json) -> None:
    data = expand(vector["bytes"])
    frame, payload = value_of(vector["frame"])
    assert read(data) == (frame, payload)
    if vector["canonical"] and payload is not None:
        assert encode_data_head(frame.stream_id, len(payload), frame.end_stream) + payload == data
    elif vector["canonical"]:
        assert encode(frame) == data
    assert (data_head(data, 0, len(data)) is not None) == (vector["canonical"] and payload is not None)


@by_name(INVALID)
def test_invalid(vector: Json) -> None:
    """What is wrong is said at once, where the bytes so far suffice; else at the end of file."""
    source, sink = os.pipe()
    os.set_blocking(source, False)
    os.write(sink, expand(vector["bytes"]))

    def end(_: float | None) -> None:
        assert not vector["early"], "waited for more"
        os.close(sink)

    reader = FrameInput(source, end, None)
    try:
        with pytest.raises(RemoteProtocolError, match=CATEGORIES[vector["error"]]):
            read_one(reader)
    finally:
        os.close(source)
        if vector["early"]:
            os.close(sink)


def read_one(reader: FrameInput) -> None:
    item = reader.next()
    if isinstance(item, DataHead):
        payload_of(reader, item.length)
    elif item is not None:
        decode(item)


@pytest.mark.parametrize(
    ("vector", "side"),
    [
        pytest.param(vector, side, id=f"{vector['name']}-as-{side}")
        for vector in CONVERSATIONS
        for side in vector["sides"]
    ],
)
def test_conversation(vector: Json, side: str) -> None:
    tested = run(vector["steps"], side)
    assert not tested.connection.owes_control or vector["steps"][-1]["event"] == "ping"


@by_name(CELLS)
def test_cells(vector: Json) -> None:
    """Each of the frames that may come next, on a connection of its own."""
    for step in vector["next"]:
        for side in vector["sides"]:
            run([*vector["steps"], step], side)


def test_every_cell_has_a_vector() -> None:
    tried = {
        (vector["table"], vector["state"], step["row"], *vector["sides"])
        for vector in CELLS
        for step in vector["next"]
    }
    assert tried == {
        (table["name"], state, row["row"], side)
        for table in TABLES
        for row in table["rows"]
        for state in row["cells"]
        for side in table["sides"]
    }


def run(steps: list[Json], side: str) -> Side:
    tested: Side = Caller() if side == "caller" else Plugin()
    for step in steps:
        data = expand(step["bytes"])
        if step["from"] == side:
            frame, payload = value_of(step["frame"])
            check_sent(tested.send(frame, payload), data)
        else:
            check_event(tested.receive(data), step["event"])
        if "code" in step:
            reset = tested.streams[step["frame"]["stream_id"]].reset
            assert reset
            assert reset.code == step["code"]
        if isinstance(tested, Caller) and "caller_slots" in step:
            assert tested.slots == step["caller_slots"]
    return tested


def check_sent(written: bytes, data: bytes) -> None:
    """Messages are for people: a reset or go_away is the same with another one."""
    (frame, _), (expected, _) = read(written), read(data)
    if isinstance(expected.body, Reset | GoAway):
        assert isinstance(frame.body, Reset | GoAway)
        assert frame._replace(body=frame.body._replace(message=expected.body.message)) == expected
    else:
        assert written == data


def check_event(event: Any, expected: Any) -> None:
    if isinstance(expected, dict) and "connection_error" in expected:
        assert re.match(CATEGORIES[expected["connection_error"]], event["connection_error"])
    else:
        assert event == expected


def test_every_category_has_a_vector() -> None:
    named = {vector["error"] for vector in INVALID}
    for step in (step for vector in CONVERSATIONS for step in vector["steps"]):
        if isinstance(step["event"], dict):
            named.add(step["event"].get("connection_error"))
    assert set(CATEGORIES) - named == {"refusals"}, "193 requests are too long for a vector"
