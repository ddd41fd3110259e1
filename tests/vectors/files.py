"""Conversations about content that stands in files, and what breaks the rules of those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.vectors.conversation import BOTH, Conversation, fault, put
from tests.vectors.notation import Json, frame
from tests.vectors.single import FILE, LENGTH, get

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOB = get("/v2/demo/blobs/1")
GET = frame(1, last=True, request=BLOB | {"accept_file": True})
PUT = frame(1, last=True, request=put(100_000) | {"file": FILE})
RESPONSE: Json = {"status": 200, "fields": LENGTH, "file": FILE}
CONTENT = b"x" * 100_000
UNUSABLE: Json = {"code": "FAILED_PRECONDITION"}


def files() -> Iterator[Conversation]:
    yield from _pulls()
    yield from _pushes()
    yield from _faults()


def _begun(name: str, about: str, sides: tuple[str, ...] = BOTH) -> Conversation:
    return Conversation(name, about, sides, "files").begun()


def _pulls() -> Iterator[Conversation]:
    yield (
        _begun("pull-of-a-file", "the caller opens the file, and says so with OK")
        .caller(GET, "head", caller_slots=1)
        .plugin(frame(1, response=RESPONSE), "head", caller_slots=1)
        .caller(frame(1, reset={}), "reset", code="OK", caller_slots=1)
        .plugin(frame(1, reset={}), "dropped", caller_slots=0)
    )
    yield (
        _begun("pull-of-an-unusable-file", "the caller asks again, without accept_file")
        .caller(GET, "head")
        .plugin(frame(1, response=RESPONSE), "head")
        .caller(frame(1, reset=UNUSABLE), "reset", code="FAILED_PRECONDITION")
        .plugin(frame(1, reset=UNUSABLE), "dropped", caller_slots=0)
        .caller(frame(3, last=True, request=BLOB), "head")
        .plugin(frame(3, response={"status": 200, "fields": LENGTH}), "head")
        .plugin(frame(3, last=True, data=CONTENT), "data", caller_slots=0)
    )
    yield (
        _begun("pull-of-a-file-held-too-long", "the plugin closes what nobody opens")
        .caller(GET, "head")
        .plugin(frame(1, response=RESPONSE), "head")
        .plugin(frame(1, reset={"code": "DEADLINE_EXCEEDED"}), "reset", code="DEADLINE_EXCEEDED")
        .caller(frame(3, last=True, request=BLOB), "head", caller_slots=1)
    )
    yield (
        _begun("pull-of-a-file-that-crosses-its-reset", "a caller may be late", ("plugin",))
        .caller(GET, "head")
        .plugin(frame(1, response=RESPONSE), "head")
        .plugin(frame(1, reset={"code": "DEADLINE_EXCEEDED"}), "reset")
        .caller(frame(1, reset={}), "dropped")
    )
    yield (
        _begun("pull-of-a-file-as-data", "accept_file allows a file, and asks for none")
        .caller(GET, "head")
        .plugin(frame(1, response={"status": 200, "fields": LENGTH}), "head")
        .plugin(frame(1, last=True, data=CONTENT), "data", caller_slots=0)
    )
    yield (
        _begun("pull-of-a-file-that-the-plugin-ends", "a file that is held no longer", ("caller",))
        .caller(GET, "head")
        .plugin(frame(1, response=RESPONSE), "head")
        .plugin(frame(1, end={}), "end", caller_slots=0)
    )


def _pushes() -> Iterator[Conversation]:
    yield (
        _begun("push-of-a-file", "a request whose content does not follow")
        .caller(PUT, "head", caller_slots=1)
        .plugin(frame(1, last=True, response={"status": 201}), "head", caller_slots=0)
    )
    refusal = UNUSABLE | {"unprocessed": True}
    yield (
        _begun("push-of-an-unusable-file", "the caller sends the content")
        .caller(PUT, "head")
        .plugin(frame(1, reset=refusal), "reset", code="FAILED_PRECONDITION", caller_slots=0)
        .caller(frame(3, request=put(100_000)), "head")
        .caller(frame(3, last=True, data=CONTENT), "data")
        .plugin(frame(3, last=True, response={"status": 201}), "head", caller_slots=0)
    )


def _faults() -> Iterator[Conversation]:
    yield (
        _begun("data-beside-a-file", "a response with a file is without content", ("caller",))
        .caller(GET, "head")
        .plugin(frame(1, response=RESPONSE), "head")
        .plugin(frame(1, last=True, data=b"x"), fault("INTERNAL"), caller_slots=0)
    )
    yield (
        _begun("response-with-a-file-not-asked-for", "only accept_file allows it", ("caller",))
        .caller(frame(1, last=True, request=BLOB), "head")
        .plugin(frame(1, response=RESPONSE), fault("INTERNAL"), caller_slots=1)
        .caller(frame(1, reset={"code": "INTERNAL"}), "reset")
    )
    changes: dict[str, Json] = {
        "another-length": {"fields": [["content-length", "99999"]]},
        "no-length": {"fields": []},
        "status-204": {"status": 204},
        "status-404": {"status": 404},
    }
    for name, changed in changes.items():
        yield (
            _begun(f"response-with-a-file-and-{name}", "a head that may not travel", ("caller",))
            .caller(GET, "head")
            .plugin(frame(1, response=RESPONSE | changed), fault("INTERNAL"), caller_slots=1)
            .caller(frame(1, reset={"code": "INTERNAL"}), "reset")
        )
    yield (
        _begun("response-with-a-file-and-end-stream", "the caller has to open it first", ("caller",))
        .caller(GET, "head")
        .plugin(frame(1, last=True, response=RESPONSE), fault("INTERNAL"), caller_slots=0)
    )
    fields: Json = {"another-length": [["content-length", "99999"]], "no-length": [], "content": LENGTH}
    for name, given in fields.items():
        yield (
            _begun(f"request-with-a-file-and-{name}", "a head that may not travel", ("plugin",))
            .caller(
                frame(1, last=name != "content", request=put() | {"fields": given, "file": FILE}),
                {"refused": "INVALID_ARGUMENT"},
            )
            .plugin(frame(1, reset={"code": "INVALID_ARGUMENT", "unprocessed": True}), "reset")
        )
