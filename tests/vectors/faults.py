"""Conversations in which one side breaks a rule: what that costs, a stream or the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.vectors.conversation import Conversation, fatal, fault, put
from tests.vectors.exchanges import INITIAL_CREDIT
from tests.vectors.notation import frame
from tests.vectors.single import get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vectors.notation import Json


def faults() -> Iterator[Conversation]:
    yield (
        Conversation("request-too-short", "the stream ends in an error, the connection goes on", ("plugin",))
        .begun()
        .caller(frame(1, request=put(5)), "head")
        .caller(frame(1, last=True, data=b"hell"), fault("INTERNAL"))
        .caller(frame(3, last=True, request=get("/v2/")), "head")
        .plugin(frame(1, reset={"code": "INTERNAL"}), "reset")
        .plugin(frame(3, last=True, response={"status": 200}), "head")
    )
    yield (
        Conversation("request-too-long", "what follows is dropped", ("plugin",))
        .begun()
        .caller(frame(1, request=put(4)), "head")
        .caller(frame(1, data=b"hello"), fault("INTERNAL"))
        .caller(frame(1, data=b"hello"), "dropped")
    )
    yield (
        Conversation("response-too-long", "the caller resets, the plugin answers", ("caller",))
        .begun()
        .caller(frame(1, last=True, request=get("/")), "head")
        .plugin(frame(1, response={"status": 200, "fields": [["content-length", "4"]]}), "head")
        .plugin(frame(1, data=b"hello"), fault("INTERNAL"), caller_slots=1)
        .caller(frame(1, reset={"code": "INTERNAL"}), "reset")
        .plugin(frame(1, reset={"code": "INTERNAL"}), "dropped", caller_slots=0)
    )
    yield (
        Conversation("response-too-short", "it has ended, so no reset is owed", ("caller",))
        .begun()
        .caller(frame(1, last=True, request=get("/")), "head")
        .plugin(
            frame(1, last=True, response={"status": 200, "fields": [["content-length", "4"]]}),
            fault("INTERNAL"),
            caller_slots=0,
        )
    )
    yield (
        Conversation("early-answer-too-short", "it has ended, the plugin has not said its last", ("caller",))
        .begun()
        .caller(frame(1, request=put(1000)), "head")
        .plugin(
            frame(1, last=True, response={"status": 413, "fields": [["content-length", "4"]]}),
            fault("INTERNAL"),
            caller_slots=1,
        )
        .caller(frame(1, reset={"code": "INTERNAL"}), "reset")
        .plugin(frame(1, reset={}), "dropped", caller_slots=0)
    )
    for method, status in (("HEAD", 200), ("GET", 204), ("GET", 304)):
        yield (
            Conversation(
                f"content-of-{method.lower()}-{status}", "HEAD, 204 and 304 have no content", ("caller",)
            )
            .begun()
            .caller(frame(1, last=True, request=get("/") | {"method": method}), "head")
            .plugin(frame(1, response={"status": status}), "head")
            .plugin(frame(1, last=True, data=b"x"), fault("INTERNAL"), caller_slots=0)
        )
    for name, response in {
        "status-100": {"status": 100},
        "status-600": {"status": 600},
        "transfer-encoding": {"status": 200, "fields": [["transfer-encoding", "chunked"]]},
        "upper-case-name": {"status": 200, "fields": [["Etag", "x"]]},
        "host-field": {"status": 200, "fields": [["host", "localhost"]]},
        "signed-content-length": {"status": 200, "fields": [["content-length", "+0"]]},
        "content-length-of-twenty-digits": {"status": 200, "fields": [["content-length", "0" * 20]]},
        "content-length-of-2-63": {"status": 204, "fields": [["content-length", str(1 << 63)]]},
    }.items():
        yield (
            Conversation(f"response-with-{name}", "a head that may not travel", ("caller",))
            .begun()
            .caller(frame(1, last=True, request=get("/")), "head")
            .plugin(frame(1, last=True, response=response), fault("INTERNAL"), caller_slots=0)
        )
    changes: dict[str, Json] = {
        "absolute-target": {"target": "http://localhost/v2/"},
        "space-in-target": {"target": "/v2/ HTTP/1.1"},
        "fragment": {"target": "/v2/#top"},
        "empty-method": {"method": ""},
        "line-break": {"fields": [["accept", "a\r\nb: c"]]},
        "empty-name": {"fields": [["", "x"]]},
        "connection-field": {"fields": [["connection", "close"]]},
        "two-content-lengths": {"fields": [["content-length", "1"], ["content-length", "2"]]},
        "signed-content-length": {"fields": [["content-length", "+1"]]},
        "content-length-of-nothing": {"fields": [["content-length", "1"]]},
        "empty-content-length": {"fields": [["content-length", ""]]},
        "list-of-content-lengths": {"fields": [["content-length", "0, 0"]]},
        "content-length-after-a-space": {"fields": [["content-length", " 0"]]},
        "content-length-of-twenty-digits": {"fields": [["content-length", "0" * 20]]},
        "content-length-of-2-63": {"fields": [["content-length", str(1 << 63)]]},
        "empty-scheme": {"scheme": ""},
        "scheme-ftp": {"scheme": "ftp"},
        "upper-case-scheme": {"scheme": "HTTP"},
        "user-in-authority": {"authority": "user@localhost"},
        "path-in-authority": {"authority": "localhost/v2"},
        "host-field": {"fields": [["host", "localhost"]]},
        "empty-target": {"target": ""},
        "two-stars-for-a-target": {"target": "**"},
        "target-beyond-ascii": {"target": "/v2/\u00e9"},
        "space-in-method": {"method": "GET "},
        "too-much-initial-credit": {"initial_credit": INITIAL_CREDIT + 1},
        "delete-character": {"fields": [["accept", "a\u007f"]]},
    }
    for name, changed in changes.items():
        yield (
            Conversation(f"request-with-{name}", "a head that may not travel", ("plugin",))
            .begun()
            .caller(frame(1, last=True, request=get("/v2/") | changed), {"refused": "INVALID_ARGUMENT"})
            .plugin(frame(1, reset={"code": "INVALID_ARGUMENT", "unprocessed": True}), "reset")
        )
    yield (
        Conversation("bad-trailers", "the stream alone is at fault", ("plugin",))
        .begun()
        .caller(frame(1, request=put()), "head")
        .caller(frame(1, end={"trailers": [["Upper", "x"]]}), fault("INVALID_ARGUMENT"))
    )
    yield from _several()
    yield from _fatal()


def _several() -> Iterator[Conversation]:
    """Two faults in one frame: which of them counts."""
    yield (
        Conversation("short-and-bad-trailers", "the content-length counts before the trailers", ("plugin",))
        .begun()
        .caller(frame(1, request=put(5)), "head")
        .caller(frame(1, end={"trailers": [["Upper", "x"]]}), fault("INTERNAL"))
    )
    yield (
        Conversation("too-long-and-beyond-credit", "a connection error counts first", ("plugin",))
        .begun()
        .caller(frame(1, request=put(5)), "head")
        .caller(frame(1, data=b"x" * (INITIAL_CREDIT + 1)), fatal("credit"))
    )
    yield (
        Conversation("bad-head-when-going-away", "the plugin's going away counts first", ("plugin",))
        .begun()
        .plugin(frame(go_away={"code": "UNAVAILABLE"}), "go_away")
        .caller(frame(1, last=True, request=get("/") | {"method": ""}), {"refused": "UNAVAILABLE"})
        .plugin(frame(1, reset={"code": "UNAVAILABLE", "unprocessed": True}), "reset")
    )
    yield (
        Conversation("short-response-and-bad-trailers", "as for a request", ("caller",))
        .begun()
        .caller(frame(1, last=True, request=get("/")), "head")
        .plugin(frame(1, response={"status": 200, "fields": [["content-length", "5"]]}), "head")
        .plugin(frame(1, end={"trailers": [["Upper", "x"]]}), fault("INTERNAL"), caller_slots=0)
    )


def _fatal() -> Iterator[Conversation]:
    """What ends the connection, beside what PROTOCOL.md's state tables list."""
    yield (
        Conversation("request-before-settings", "settings come first", ("plugin",)).caller(
            frame(1, last=True, request=get("/")), fatal("before-settings")
        )
    )
    yield (
        Conversation("data-before-settings", "settings come first", ("plugin",)).caller(
            frame(1, data=b"x"), fatal("before-settings")
        )
    )
    for name, value, category in (
        ("settings-twice", frame(settings={"versions": [1]}), "settings-twice"),
        ("settings-on-a-stream", frame(1, settings={"versions": [1]}), "stream-zero"),
        ("ping-on-a-stream", frame(1, ping={}), "stream-zero"),
        ("request-on-stream-0", frame(0, request=get("/")), "stream-zero"),
        ("data-on-stream-0", frame(0, data=b"x"), "stream-zero"),
        ("reset-on-stream-0", frame(0, reset={}), "stream-zero"),
        ("ping-that-ends", frame(0, last=True, ping={}), "end-stream"),
        ("end-that-ends", frame(1, last=True, end={}), "end-stream"),
        ("response-from-a-caller", frame(1, response={"status": 200}), "wrong-direction"),
        ("request-on-an-even-stream", frame(2, request=get("/")), "stream-id"),
        ("request-on-stream-2-31", frame(1 << 31 | 1, request=get("/")), "stream-id"),
        ("data-on-a-stream-never-opened", frame(1, data=b"x"), "never-opened"),
        ("window-update-on-a-stream-never-opened", frame(5, window_update={"credit": 1}), "never-opened"),
        ("reset-on-an-even-stream", frame(2, reset={}), "never-opened"),
    ):
        yield Conversation(name, "ends the connection", ("plugin",)).begun().caller(value, fatal(category))
    yield (
        Conversation("streams-that-do-not-rise", "stream ids rise", ("plugin",))
        .begun()
        .caller(frame(5, last=True, request=get("/")), "head")
        .caller(frame(3, last=True, request=get("/")), fatal("stream-id"))
    )
    yield (
        Conversation("data-after-the-end", "nothing follows the end", ("plugin",))
        .begun()
        .caller(frame(1, last=True, request=put()), "head")
        .caller(frame(1, data=b"x"), fatal("wrong-state"))
    )
    for name, value, category in (
        ("data-before-the-response", frame(1, data=b"x"), "wrong-state"),
        ("end-before-the-response", frame(1, end={}), "wrong-state"),
        ("request-from-the-plugin", frame(2, request=get("/")), "wrong-direction"),
        ("response-on-a-stream-never-opened", frame(3, response={"status": 200}), "never-opened"),
    ):
        yield (
            Conversation(name, "ends the connection", ("caller",))
            .begun()
            .caller(frame(1, last=True, request=get("/")), "head")
            .plugin(value, fatal(category))
        )
    yield (
        Conversation("response-twice", "one response to a request", ("caller",))
        .begun()
        .caller(frame(1, last=True, request=get("/")), "head")
        .plugin(frame(1, response={"status": 200}), "head")
        .plugin(frame(1, response={"status": 200}), fatal("wrong-state"))
    )
    yield (
        Conversation("plugin-s-ping-before-its-settings", "settings come first", ("caller",))
        .caller(frame(settings={"versions": [1]}), "settings")
        .plugin(frame(ping={"token": 1}), fatal("before-settings"))
    )
