"""A push and a pull from the first frame to the last, and the listing of it that PROTOCOL.md shows."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from tests.vectors.conversation import Conversation
from tests.vectors.exchanges import INITIAL_CREDIT
from tests.vectors.notation import expand, frame
from tests.vectors.single import get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vectors.notation import Json

BLOB: Final = b"x" * 300_000
DIGEST: Final = "sha256:" + hashlib.sha256(BLOB).hexdigest()
CONFIGURATION: Final = "version: 0.1\nstorage: {inmemory: {}}\n"
UPLOAD: Final = "/v2/demo/blobs/uploads/1"


def push_and_pull() -> Conversation:
    """A blob larger than the initial credit, so that both sides grant some."""
    first, rest = BLOB[:INITIAL_CREDIT], BLOB[INITIAL_CREDIT:]
    update = {"credit": INITIAL_CREDIT}
    length = ["content-length", str(len(BLOB))]
    put = get(f"{UPLOAD}?digest={DIGEST}") | {"method": "PUT", "fields": [length]}
    located = [["location", UPLOAD]]
    return (
        Conversation(
            "push-and-pull", "a blob goes to the plugin and comes back; PROTOCOL.md lists the frames"
        )
        .caller(
            frame(settings={"versions": [1], "implementation": "mine/1.0", "configuration": CONFIGURATION}),
            "settings",
        )
        .plugin(frame(settings={"versions": [1], "max_streams": 64}), "settings")
        .caller(
            frame(1, last=True, request=get("/v2/demo/blobs/uploads/") | {"method": "POST"}),
            "head",
            caller_slots=1,
        )
        .plugin(frame(1, last=True, response={"status": 202, "fields": located}), "head", caller_slots=0)
        .caller(frame(3, request=put), "head")
        .caller(frame(3, data=first), "data")
        .plugin(frame(3, window_update=update), "credit")
        .caller(frame(3, last=True, data=rest), "data")
        .plugin(
            frame(3, last=True, response={"status": 201, "fields": [["docker-content-digest", DIGEST]]}),
            "head",
            caller_slots=0,
        )
        .caller(frame(5, last=True, request=get(f"/v2/demo/blobs/{DIGEST}")), "head")
        .plugin(frame(5, response={"status": 200, "fields": [length]}), "head")
        .plugin(frame(5, data=first), "data")
        .caller(frame(5, window_update=update), "credit")
        .plugin(frame(5, last=True, data=rest), "data", caller_slots=0)
    )


def listing(vector: Json) -> str:
    """The frames: who sends each, on which stream, whether that ends, the body, and what it holds."""
    lines = [line for step in vector["steps"] for line in _lines(step)]
    return "\n".join(lines).replace(DIGEST, "DIGEST")


def _lines(step: Json) -> Iterator[str]:
    value = dict(step["frame"])
    number = value.pop("stream_id", 0)
    end = "end" if value.pop("end_stream", False) else ""
    ((name, body),) = value.items()
    first, *more = [f"{len(expand(body))} bytes"] if name == "data" else _parts(body)
    yield f"{step['from']}  {number}  {end:3}  {name:13}  {first}"
    yield from (f"{'':31}{part}" for part in more)


def _parts(body: Json) -> list[str]:
    if "method" in body:
        parts = [f"{body['method']} {body['target']}"]
    else:
        parts = [f"{key}: {json.dumps(given)}" for key, given in body.items() if key != "fields"]
    return parts + [f"{name}: {value}" for name, value in body.get("fields", ())]
