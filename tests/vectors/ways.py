"""The ways into each state of PROTOCOL.md's stream tables, and the frames of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.vectors.conversation import fault, put
from tests.vectors.exchanges import INITIAL_CREDIT, MAX_CREDIT
from tests.vectors.notation import Json, frame
from tests.vectors.single import FILE, LENGTH, get

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

UPPER: Final = [["Upper", "x"]]
"""A field that may not travel."""
ONE_BYTE: Final = [["content-length", "1"]]

REQUEST: Final = frame(1, request=put())
REQUEST_WHOLE: Final = frame(1, last=True, request=put())
REQUEST_OF_ONE: Final = frame(1, request=put(1))
REQUEST_BAD: Final = frame(1, request=put() | {"fields": UPPER})
HEAD_WHOLE: Final = frame(1, last=True, request=put() | {"method": "HEAD"})
RESPONSE: Final = frame(1, response={"status": 200})
RESPONSE_WHOLE: Final = frame(1, last=True, response={"status": 200})
RESPONSE_OF_ONE: Final = frame(1, response={"status": 200, "fields": ONE_BYTE})
RESPONSE_BAD: Final = frame(1, response={"status": 200, "fields": UPPER})
RESPONSE_BAD_WHOLE: Final = frame(1, last=True, response={"status": 200, "fields": UPPER})
DATA: Final = frame(1, data=b"x")
DATA_LAST: Final = frame(1, last=True, data=b"x")
DATA_TWO: Final = frame(1, data=b"xx")
NOTHING_LAST: Final = frame(1, last=True, data=b"")
END: Final = frame(1, end={})
END_BAD: Final = frame(1, end={"trailers": UPPER})
OK: Final = frame(1, reset={})
CANCELLED: Final = frame(1, reset={"code": "CANCELLED"})
INTERNAL: Final = frame(1, reset={"code": "INTERNAL"})
GET_FILE: Final = frame(1, last=True, request=get("/v2/demo/blobs/1") | {"accept_file": True})
PUT_FILE: Final = frame(1, last=True, request=put(100_000) | {"file": FILE})
RESPONSE_FILE: Final = frame(1, response={"status": 200, "fields": LENGTH, "file": FILE})
BAD_TRAILERS: Final = frame(1, reset={"code": "INVALID_ARGUMENT"})
REFUSED: Final = frame(1, reset={"code": "INVALID_ARGUMENT", "unprocessed": True})

ROWS: Final[dict[str, Json]] = {
    "request": REQUEST,
    "request that may not travel": REQUEST_BAD,
    "request, last, with a content-length above 0": frame(1, last=True, request=put(1)),
    "response": RESPONSE,
    "response, last": RESPONSE_WHOLE,
    "response that may not travel": RESPONSE_BAD,
    "response that may not travel, last": RESPONSE_BAD_WHOLE,
    "response, last, with a content-length above 0": frame(
        1, last=True, response={"status": 200, "fields": ONE_BYTE}
    ),
    "response without content, last, with a content-length above 0": frame(
        1, last=True, response={"status": 304, "fields": ONE_BYTE}
    ),
    "data": DATA,
    "data, last": DATA_LAST,
    "data of nothing": frame(1, data=b""),
    "data of nothing, last": NOTHING_LAST,
    "data beyond its credit": frame(1, data=b"x" * (INITIAL_CREDIT + 1)),
    "data beyond its content-length": DATA_TWO,
    "data in a response without content": DATA,
    "data, last, short of its content-length": NOTHING_LAST,
    "end": END,
    "end short of its content-length": END,
    "end with trailers that may not travel": END_BAD,
    "window_update": frame(1, window_update={"credit": 1}),
    "window_update of 0": frame(1, window_update={}),
    "window_update beyond the largest credit": frame(
        1, window_update={"credit": MAX_CREDIT - INITIAL_CREDIT + 1}
    ),
    "reset with OK": OK,
    "reset with another code": CANCELLED,
}

DECLARED: Final = frozenset(row for row in ROWS if "its content-length" in row)
WITHOUT: Final = frozenset({"data in a response without content", "data of nothing, last", "end"})
ORDINARY: Final = ROWS.keys() - DECLARED - {"data in a response without content"}
"""Rows for a direction that has begun: with a content-length of 1, without content, and with any."""


class Way(NamedTuple):
    """How a stream comes to ``state``: ``steps`` of (sender, frame, event). ``rows`` are those to try then,
    ``None`` for all. ``sent``: the caller has ended its request. ``capability`` is what both sides have."""

    state: str
    name: str
    steps: tuple[tuple[str, Json, Json | str], ...]
    rows: AbstractSet[str] | None = None
    sent: bool = False
    capability: str | None = None


def caller(value: Json, event: Json | str) -> tuple[str, Json, Json | str]:
    return "caller", value, event


def plugin(value: Json, event: Json | str) -> tuple[str, Json, Json | str]:
    return "plugin", value, event


ASKED: Final = caller(REQUEST, "head")
ASKED_WHOLE: Final = caller(REQUEST_WHOLE, "head")
BEGUN: Final = plugin(RESPONSE, "head")
ANSWERED: Final = plugin(RESPONSE_WHOLE, "head")
GIVEN_UP: Final = caller(CANCELLED, "reset")
ASKED_FILE: Final = caller(GET_FILE, "head")
TOLD_FILE: Final = plugin(RESPONSE_FILE, "head")
OPENED: Final = caller(OK, "reset")
SKIPPED: Final = caller(frame(3, request=put()), "head")

PLUGIN: Final = (
    Way("never opened", "nothing was sent", ()),
    Way("open", "the request has begun", (ASKED,), ORDINARY),
    Way("open", "the response has begun", (ASKED, BEGUN), ORDINARY),
    Way("open", "a content-length of 1", (caller(REQUEST_OF_ONE, "head"),), DECLARED),
    Way("ended", "with its head", (ASKED_WHOLE,)),
    Way("ended", "with data", (ASKED, caller(DATA_LAST, "data"))),
    Way("ended", "with end", (ASKED, caller(END, "end"))),
    Way("ended", "with a file", (caller(PUT_FILE, "head"),), capability="files"),
    Way("ended", "answered with a file", (ASKED_FILE, TOLD_FILE), capability="files"),
    Way("reset", "its file is open", (ASKED_FILE, TOLD_FILE, OPENED), capability="files"),
    Way("reset", "given up", (ASKED, GIVEN_UP)),
    Way("reset", "given up when it had ended", (ASKED_WHOLE, GIVEN_UP)),
    Way(
        "reset",
        "content too long",
        (caller(REQUEST_OF_ONE, "head"), caller(DATA_TWO, fault("INTERNAL"))),
    ),
    Way("reset", "bad trailers", (ASKED, caller(END_BAD, fault("INVALID_ARGUMENT")))),
    Way(
        "closed", "refused", (caller(REQUEST_BAD, {"refused": "INVALID_ARGUMENT"}), plugin(REFUSED, "reset"))
    ),
    Way("closed", "answered", (ASKED_WHOLE, ANSWERED)),
    Way("closed", "answered early", (ASKED, ANSWERED, plugin(OK, "reset"))),
    Way("closed", "given up", (ASKED, GIVEN_UP, plugin(CANCELLED, "dropped"))),
    Way("closed", "failed", (ASKED, BEGUN, plugin(INTERNAL, "reset"))),
    Way(
        "closed",
        "its file was open",
        (ASKED_FILE, TOLD_FILE, OPENED, plugin(OK, "dropped")),
        capability="files",
    ),
    Way("closed", "skipped", (SKIPPED,)),
)
"""Into the states of a plugin's stream."""

CALLER: Final = (
    Way("never opened", "nothing was sent", ()),
    Way("waiting", "the request goes on", (ASKED,)),
    Way("waiting", "the request was sent", (ASKED_WHOLE,), sent=True),
    Way("content", "the request goes on", (ASKED, BEGUN), ORDINARY),
    Way("content", "the request was sent", (ASKED_WHOLE, BEGUN), ORDINARY, sent=True),
    Way("content", "a content-length of 1", (ASKED, plugin(RESPONSE_OF_ONE, "head")), DECLARED),
    Way(
        "content",
        "a content-length of 1, the request was sent",
        (ASKED_WHOLE, plugin(RESPONSE_OF_ONE, "head")),
        DECLARED,
        sent=True,
    ),
    Way(
        "content",
        "of HEAD",
        (caller(HEAD_WHOLE, "head"), plugin(RESPONSE_OF_ONE, "head")),
        WITHOUT,
        sent=True,
    ),
    *(
        Way(
            "content",
            f"of {status}",
            (ASKED_WHOLE, plugin(frame(1, response={"status": status, "fields": ONE_BYTE}), "head")),
            WITHOUT,
            sent=True,
        )
        for status in (204, 304)
    ),
    Way("content", "in a file", (ASKED_FILE, TOLD_FILE), WITHOUT, sent=True, capability="files"),
    Way("ended", "with its head", (ASKED, ANSWERED)),
    Way("ended", "with data", (ASKED, BEGUN, plugin(DATA_LAST, "data"))),
    Way("ended", "with end", (ASKED, BEGUN, plugin(END, "end"))),
    Way("given up", "while waiting", (ASKED_WHOLE, GIVEN_UP)),
    Way("given up", "its file is open", (ASKED_FILE, TOLD_FILE, OPENED), capability="files"),
    Way("given up", "in the content", (ASKED_WHOLE, BEGUN, GIVEN_UP)),
    Way("given up", "after the response", (ASKED, ANSWERED, GIVEN_UP)),
    Way(
        "given up",
        "bad head",
        (ASKED_WHOLE, plugin(RESPONSE_BAD, fault("INTERNAL")), caller(INTERNAL, "reset")),
    ),
    Way(
        "given up",
        "bad head, last, while the request goes on",
        (ASKED, plugin(RESPONSE_BAD_WHOLE, fault("INTERNAL")), caller(INTERNAL, "reset")),
    ),
    Way(
        "given up",
        "content too long",
        (
            ASKED_WHOLE,
            plugin(RESPONSE_OF_ONE, "head"),
            plugin(DATA_TWO, fault("INTERNAL")),
            caller(INTERNAL, "reset"),
        ),
    ),
    Way(
        "given up",
        "bad trailers while the request goes on",
        (ASKED, BEGUN, plugin(END_BAD, fault("INVALID_ARGUMENT")), caller(BAD_TRAILERS, "reset")),
    ),
    Way("closed", "answered", (ASKED_WHOLE, ANSWERED)),
    Way(
        "closed",
        "its file was open",
        (ASKED_FILE, TOLD_FILE, OPENED, plugin(OK, "dropped")),
        capability="files",
    ),
    Way("closed", "answered badly", (ASKED_WHOLE, plugin(RESPONSE_BAD_WHOLE, fault("INTERNAL")))),
    Way("closed", "answered early", (ASKED, ANSWERED, plugin(OK, "reset"))),
    Way("closed", "answered before its request ended", (ASKED, ANSWERED, caller(END, "end"))),
    Way("closed", "reset by the plugin", (ASKED, plugin(CANCELLED, "reset"))),
    Way("closed", "given up", (ASKED_WHOLE, GIVEN_UP, plugin(CANCELLED, "dropped"))),
    Way(
        "closed",
        "given up, and answered meanwhile",
        (ASKED_WHOLE, GIVEN_UP, plugin(RESPONSE_WHOLE, "dropped")),
    ),
    Way("closed", "skipped", (SKIPPED,)),
)
"""Into the states of a caller's stream."""
