"""Conversations of two sides that keep the rules, or stumble over credit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.vectors.conversation import BOTH, Conversation, fatal, put
from tests.vectors.notation import frame
from tests.vectors.single import get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vectors.notation import Json

INITIAL_CREDIT = 256 << 10
SMALL_CREDIT = 16 << 10
MAX_CREDIT = (1 << 31) - 1


def exchanges() -> Iterator[Conversation]:
    yield from _answered()
    yield from _heads()
    yield from _giving_up()
    yield from _flow()
    yield from _little_credit()
    yield from _on_the_connection()


def _answered() -> Iterator[Conversation]:
    yield (
        Conversation("get", "the shortest whole conversation; PROTOCOL.md shows its bytes")
        .begun()
        .caller(frame(1, last=True, request=get("/v2/")), "head", caller_slots=1)
        .plugin(frame(1, response={"status": 200, "fields": [["content-length", "2"]]}), "head")
        .plugin(frame(1, last=True, data=b"{}"), "data", caller_slots=0)
    )
    yield (
        Conversation("request-before-the-plugin-s-settings", "the caller need not wait for them")
        .caller(frame(settings={"versions": [2, 1]}), "settings")
        .caller(frame(1, last=True, request=get("/v2/")), "head")
        .plugin(frame(settings={"versions": [1]}), "settings")
        .plugin(frame(1, last=True, response={"status": 404}), "head", caller_slots=0)
    )
    yield (
        Conversation("push", "content in one frame, an answer without any")
        .begun()
        .caller(frame(1, request=put(5)), "head")
        .caller(frame(1, last=True, data=b"hello"), "data")
        .plugin(frame(1, last=True, response={"status": 201}), "head", caller_slots=0)
    )
    yield (
        Conversation("trailers", "content that an end frame ends, in both directions")
        .begun()
        .caller(frame(1, request=put()), "head")
        .caller(frame(1, data=b"hel"), "data")
        .caller(frame(1, data=b"lo"), "data")
        .caller(frame(1, end={"trailers": [["x-checksum", "1"]]}), "end")
        .plugin(frame(1, response={"status": 200}), "head")
        .plugin(frame(1, end={"trailers": [["x-checksum", "2"]]}), "end", caller_slots=0)
    )
    yield (
        Conversation("head-request", "a content-length that no content follows")
        .begun()
        .caller(frame(1, last=True, request=get("/v2/") | {"method": "HEAD"}), "head")
        .plugin(
            frame(1, last=True, response={"status": 200, "fields": [["content-length", "9"]]}),
            "head",
            caller_slots=0,
        )
    )
    yield (
        Conversation("two-streams", "answers come in any order")
        .begun()
        .caller(frame(1, last=True, request=get("/v2/a/tags/list")), "head")
        .caller(frame(3, last=True, request=get("/v2/b/tags/list")), "head", caller_slots=2)
        .plugin(frame(3, response={"status": 200}), "head")
        .plugin(frame(1, last=True, response={"status": 404}), "head", caller_slots=1)
        .plugin(frame(3, last=True, data=b""), "data", caller_slots=0)
    )


def _heads() -> Iterator[Conversation]:
    """Heads that look odd and may travel."""
    heads: dict[str, Json] = {
        "empty-authority": {"authority": ""},
        "address-of-ip-6": {"authority": "[::1]:5000"},
        "asterisk": {"method": "OPTIONS", "target": "*"},
        "method-of-one-s-own": {"method": "m-SEARCH!"},
        "percent-encoding": {"target": "/v2/%C3%A9/%2f?a=%"},
        "expect": {"fields": [["expect", "100-continue"]]},
        "bytes-beyond-ascii": {"fields": [["x-raw", "\t\u0080\u00ff"]]},
        "equal-content-lengths": {"fields": [["content-length", "0"], ["content-length", "00"]]},
    }
    for name, changed in heads.items():
        yield (
            Conversation(f"request-with-{name}", "an odd head that may travel")
            .begun()
            .caller(frame(1, last=True, request=get("/v2/") | changed), "head")
            .plugin(frame(1, last=True, response={"status": 200}), "head", caller_slots=0)
        )
    yield (
        Conversation("largest-content-length", "19 digits; here HEAD, so that no content follows")
        .begun()
        .caller(frame(1, last=True, request=get("/") | {"method": "HEAD"}), "head")
        .plugin(
            frame(1, last=True, response={"status": 200, "fields": [["content-length", str((1 << 63) - 1)]]}),
            "head",
            caller_slots=0,
        )
    )
    yield (
        Conversation("content-length-with-zeros", "007 is 7")
        .begun()
        .caller(frame(1, request=put() | {"fields": [["content-length", "007"]]}), "head")
        .caller(frame(1, last=True, data=b"seven b"), "data")
        .plugin(frame(1, last=True, response={"status": 201}), "head", caller_slots=0)
    )


def _giving_up() -> Iterator[Conversation]:
    yield (
        Conversation("early-answer", "the response ends before its request: reset(OK), and no error")
        .begun()
        .caller(frame(1, request=put(1000)), "head")
        .plugin(frame(1, last=True, response={"status": 413}), "head", caller_slots=1)
        .plugin(frame(1, reset={}), "reset", caller_slots=0)
        .caller(frame(3, last=True, request=get("/v2/")), "head", caller_slots=1)
    )
    yield (
        Conversation("early-answer-crossing", "what the caller sent meanwhile is dropped", ("plugin",))
        .begun()
        .caller(frame(1, request=put(1000)), "head")
        .plugin(frame(1, last=True, response={"status": 413}), "head")
        .plugin(frame(1, reset={}), "reset")
        .caller(frame(1, data=b"hello"), "dropped")
        .caller(frame(1, end={}), "dropped")
        .caller(frame(1, window_update={"credit": 1}), "dropped")
        .caller(frame(1, reset={"code": "CANCELLED"}), "dropped")
    )
    yield (
        Conversation("caller-gives-up", "the slot is free when the plugin has answered the reset")
        .begun()
        .caller(frame(1, last=True, request=get("/v2/demo/blobs/x")), "head")
        .plugin(frame(1, response={"status": 200}), "head")
        .caller(frame(1, reset={"code": "CANCELLED"}), "reset", caller_slots=1)
        .plugin(frame(1, reset={"code": "CANCELLED"}), "dropped", caller_slots=0)
    )
    yield (
        Conversation("caller-gives-up-crossing", "frames under way are dropped", ("caller",))
        .begun()
        .caller(frame(1, last=True, request=get("/v2/demo/blobs/x")), "head")
        .caller(frame(1, reset={"code": "CANCELLED"}), "reset", caller_slots=1)
        .plugin(frame(1, response={"status": 200}), "dropped")
        .plugin(frame(1, data=b"hello"), "dropped")
        .plugin(frame(1, window_update={"credit": 9}), "dropped", caller_slots=1)
        .plugin(frame(1, last=True, data=b"hello"), "dropped", caller_slots=0)
    )
    yield (
        Conversation(
            "caller-gives-up-an-early-answer",
            "the response's end is not the plugin's last frame while the request goes on: reset(OK) is",
            ("caller",),
        )
        .begun()
        .caller(frame(1, request=put(1000)), "head")
        .plugin(frame(1, last=True, response={"status": 413}), "head")
        .caller(frame(1, reset={"code": "CANCELLED"}), "reset", caller_slots=1)
        .plugin(frame(1, reset={}), "dropped", caller_slots=0)
    )
    yield (
        Conversation("plugin-fails", "a response that does not end")
        .begun()
        .caller(frame(1, last=True, request=get("/v2/demo/blobs/x")), "head")
        .plugin(frame(1, response={"status": 200, "fields": [["content-length", "9"]]}), "head")
        .plugin(frame(1, data=b"hello"), "data")
        .plugin(frame(1, reset={"code": "DATA_LOSS", "message": "a file ended"}), "reset", caller_slots=0)
    )
    yield (
        Conversation("refused", "the application never saw the request", ("caller",))
        .begun()
        .caller(frame(1, last=True, request=get("/v2/")), "head")
        .plugin(frame(1, reset={"code": "UNAVAILABLE", "unprocessed": True}), "reset", caller_slots=0)
    )


def _flow() -> Iterator[Conversation]:
    first = b"x" * INITIAL_CREDIT
    yield (
        Conversation("credit", "data up to the initial credit, and on once more is granted", ("caller",))
        .begun()
        .caller(frame(1, request=put()), "head")
        .caller(frame(1, data=first), "data")
        .plugin(frame(1, window_update={"credit": 5}), "credit")
        .caller(frame(1, last=True, data=b"hello"), "data")
    )
    yield (
        Conversation("beyond-credit", "one byte more than was granted", ("plugin",))
        .begun()
        .caller(frame(1, request=put()), "head")
        .caller(frame(1, data=first), "data")
        .caller(frame(1, data=b"x"), fatal("credit"))
    )
    yield (
        Conversation("response-beyond-credit", "credit is a stream's own", ("caller",))
        .begun()
        .caller(frame(1, last=True, request=get("/")), "head")
        .caller(frame(3, last=True, request=get("/")), "head")
        .plugin(frame(1, response={"status": 200}), "head")
        .plugin(frame(3, response={"status": 200}), "head")
        .plugin(frame(1, data=first), "data")
        .plugin(frame(3, data=first), "data")
        .plugin(frame(3, data=b"x"), fatal("credit"))
    )
    for credit, event in (
        (MAX_CREDIT - INITIAL_CREDIT, "credit"),
        (MAX_CREDIT - INITIAL_CREDIT + 1, fatal("window-update")),
        (0, fatal("window-update")),
    ):
        yield (
            Conversation(f"window-update-of-{credit}", "credit stays from 1 to 2^31-1", BOTH[1:])
            .begun()
            .caller(frame(1, last=True, request=get("/")), "head")
            .caller(frame(1, window_update={"credit": credit}), event)
        )
    yield (
        Conversation("data-of-nothing", "only data that ends may be empty", ("plugin",))
        .begun()
        .caller(frame(1, request=put()), "head")
        .caller(frame(1, data=b""), fatal("empty-data"))
    )


def _little_credit() -> Iterator[Conversation]:
    put_little, get_little = ({**head, "initial_credit": SMALL_CREDIT} for head in (put(), get("/")))
    yield (
        Conversation("little-credit", "a request says how much credit its stream begins with, either way")
        .begun_with_many()
        .caller(frame(1, request=put_little), "head")
        .caller(frame(1, last=True, data=b"x" * SMALL_CREDIT), "data")
        .plugin(frame(1, response={"status": 200}), "head")
        .plugin(frame(1, last=True, data=b"x" * SMALL_CREDIT), "data", caller_slots=0)
    )
    yield (
        Conversation("beyond-little-credit", "one byte more than it said", ("plugin",))
        .begun_with_many()
        .caller(frame(1, request=put_little), "head")
        .caller(frame(1, data=b"x" * SMALL_CREDIT), "data")
        .caller(frame(1, data=b"x"), fatal("credit"))
    )
    yield (
        Conversation("response-beyond-little-credit", "one byte more than the request said", ("caller",))
        .begun_with_many()
        .caller(frame(1, last=True, request=get_little), "head")
        .plugin(frame(1, response={"status": 200}), "head")
        .plugin(frame(1, data=b"x" * SMALL_CREDIT), "data")
        .plugin(frame(1, data=b"x"), fatal("credit"))
    )
    many = Conversation("many-streams", "from the 65th on they begin with little credit").begun_with_many()
    for number in range(64):
        many.caller(frame(2 * number + 1, last=True, request=get("/")), "head")
    many.caller(frame(129, last=True, request=get_little), "head", caller_slots=65)
    many.plugin(frame(1, last=True, response={"status": 200}), "head", caller_slots=64)
    many.plugin(frame(3, last=True, response={"status": 200}), "head", caller_slots=63)
    yield many.caller(frame(131, last=True, request=get("/")), "head", caller_slots=64)
    much = Conversation(
        "much-credit-beside-64-streams", "the 65th must not begin with more", ("plugin",)
    ).begun_with_many()
    for number in range(64):
        much.caller(frame(2 * number + 1, last=True, request=get("/")), "head")
    much.caller(
        frame(129, request=put() | {"initial_credit": SMALL_CREDIT + 1}), {"refused": "RESOURCE_EXHAUSTED"}
    )
    much.plugin(frame(129, reset={"code": "RESOURCE_EXHAUSTED", "unprocessed": True}), "reset")
    much.caller(frame(131, request=get("/")), {"refused": "RESOURCE_EXHAUSTED"})
    much.plugin(frame(131, reset={"code": "RESOURCE_EXHAUSTED", "unprocessed": True}), "reset")
    yield much.caller(frame(133, request=put_little), "head")


def _on_the_connection() -> Iterator[Conversation]:
    yield (
        Conversation("ping", "either side asks, the other answers")
        .begun()
        .caller(frame(ping={"token": 7}), "ping")
        .plugin(frame(ping={"token": 7, "ack": True}), "dropped")
        .plugin(frame(ping={"token": 0}), "ping")
        .caller(frame(ping={"ack": True}), "dropped")
    )
    yield (
        Conversation("log", "a record of the plugin's log", ("caller",))
        .begun()
        .plugin(frame(log={"level": "warn", "message": "the disk is nearly full"}), "log")
    )
    yield (
        Conversation("configuration-refused", "the only frame before settings; then exit status 78")
        .caller(frame(settings={"versions": [1], "configuration": "version: 9"}), "settings")
        .plugin(frame(go_away={"code": "INVALID_ARGUMENT", "message": "version: expected 0.1"}), "go_away")
    )
    yield (
        Conversation("no-common-version", "a caller of the future", ("plugin",))
        .caller(frame(settings={"versions": [2, 3]}), fatal("version"))
        .plugin(frame(go_away={"code": "FAILED_PRECONDITION"}), "go_away")
    )
    yield (
        Conversation("two-versions-chosen", "the plugin chooses one", ("caller",))
        .caller(frame(settings={"versions": [1, 2]}), "settings")
        .plugin(frame(settings={"versions": [1, 2]}), fatal("version"))
    )
    yield (
        Conversation("going-away", "streams up to the last one finish, later ones are refused")
        .begun()
        .caller(frame(1, last=True, request=get("/v2/")), "head")
        .plugin(frame(go_away={"last_stream_id": 1, "code": "UNAVAILABLE"}), "go_away")
        .plugin(frame(1, last=True, response={"status": 200}), "head", caller_slots=0)
    )
    yield (
        Conversation("going-away-crossing", "a request that was under way is unprocessed", ("plugin",))
        .begun()
        .plugin(frame(go_away={"code": "UNAVAILABLE"}), "go_away")
        .caller(frame(1, last=True, request=get("/v2/")), {"refused": "UNAVAILABLE"})
        .plugin(frame(1, reset={"code": "UNAVAILABLE", "unprocessed": True}), "reset")
    )
    few = Conversation(
        "one-stream-too-many", "the 65th at once is refused, and no other", ("plugin",)
    ).begun()
    for number in range(64):
        few.caller(frame(2 * number + 1, last=True, request=get("/")), "head")
    few.caller(frame(129, last=True, request=get("/")), {"refused": "RESOURCE_EXHAUSTED"})
    few.plugin(frame(129, reset={"code": "RESOURCE_EXHAUSTED", "unprocessed": True}), "reset")
    few.caller(frame(129, reset={"code": "CANCELLED"}), "dropped")
    few.plugin(frame(1, last=True, response={"status": 200}), "head")
    yield few.caller(frame(131, last=True, request=get("/")), "head")
