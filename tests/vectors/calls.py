"""The gRPC service: messages of calls, and whole calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.vectors.notation import Json, expand, notation
from tests.vectors.notation import message as frame_message
from tests.vectors.single import get
from udist_plugin.wire.generated import frame_pb2, plugin_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

CREDIT = 65536
MAX_DATA = 1 << 20
OK = {"status": 200}
GET = get("/v2/")
PUT = get("/v2/demo/blobs/uploads/1") | {"method": "PUT"}
SIDES: dict[str, Any] = {"caller": plugin_pb2.RoundTripRequest, "plugin": plugin_pb2.RoundTripResponse}


def part(**fields: Any) -> Json:
    """A message's meaning; ``data`` as bytes."""
    if "data" in fields:
        fields["data"] = notation(fields["data"])
    return fields


def encoded(side: str, meaning: Json) -> bytes:
    """The one way in which to write a message."""
    result = SIDES[side]()
    if "head" in meaning:
        kind = "request" if side == "caller" else "response"
        result.head.CopyFrom(getattr(_frame({kind: meaning["head"]}), kind))
    result.credit = meaning.get("credit", 0)
    if "end" in meaning:
        result.end.CopyFrom(_frame({"end": meaning["end"]}).end)
    result.data = expand(meaning.get("data", []))
    message: bytes = result.SerializeToString()
    return message


def _frame(value: Json) -> frame_pb2.Frame:
    return frame_message(value)


def messages() -> Iterator[Json]:
    """What bytes mean, and which are no message."""
    yield _valid("request", "caller", part(head=GET, end={}))
    yield _valid("request-with-content", "caller", part(head=PUT, end={}, data=b"content"))
    yield _valid("request-with-credit", "caller", part(head=GET, credit=4194304, end={}))
    yield _valid("response", "plugin", part(head=OK, end={}))
    length = {"fields": [["content-length", "2"]]}
    yield _valid("response-with-content", "plugin", part(head=OK | length, end={}, data=b"{}"))
    trailers = {"trailers": [["digest", "sha-256=:eA==:"], ["odd", "gr\xfc\xdfe"]]}
    for side in SIDES:
        yield _valid(f"credit-from-the-{side}", side, part(credit=300))
        yield _valid(f"largest-credit-from-the-{side}", side, part(credit=2147483647))
        yield _valid(f"data-from-the-{side}", side, part(data=b"x" * 127))
        yield _valid(f"data-of-128-bytes-from-the-{side}", side, part(data=b"x" * 128))
        yield _valid(f"as-much-data-as-there-may-be-from-the-{side}", side, part(data=b"x" * MAX_DATA))
        yield _valid(f"end-from-the-{side}", side, part(end={}))
        yield _valid(f"end-with-trailers-from-the-{side}", side, part(end=trailers, data=b"last"))
    yield _other("data-before-its-head", "caller", "7a0178 0a00 1a00", part(head={}, end={}, data=b"x"))
    yield _other("credit-twice", "caller", "1001 1002", part(credit=2))
    yield _other("credit-of-33-bits", "caller", "10 8180808010", part(credit=1))
    yield _other("credit-in-more-bytes-than-it-needs", "caller", "10 8100", part(credit=1))
    yield _other("data-twice", "plugin", "7a0178 7a0179", part(data=b"y"))
    yield _other("an-unknown-field", "plugin", "2a0178 10ac02", part(credit=300))
    yield _other("a-head-in-two-parts", "plugin", "0a0308c801 0a07 12050a01611200", part(
        head=OK | {"fields": [["a", ""]]}))  # fmt: skip
    yield _invalid("data-beyond-its-message", "caller", "7a0278")
    yield _invalid("a-varint-of-eleven-bytes", "caller", "10 8080808080808080808001")
    yield _invalid("text-that-is-not-utf-8", "caller", "0a03 0a01ff")
    yield _invalid("field-number-0", "caller", "0201ff")


def _valid(name: str, side: str, meaning: Json) -> Json:
    data = notation(encoded(side, meaning))
    return {"name": name, "from": side, "bytes": data, "message": meaning, "canonical": True}


def _other(name: str, side: str, written: str, meaning: Json) -> Json:
    data = written.replace(" ", "")
    return {"name": name, "from": side, "bytes": [data], "message": meaning, "canonical": False}


def _invalid(name: str, side: str, written: str) -> Json:
    return {"name": name, "from": side, "bytes": [written.replace(" ", "")], "message": None}


class Call:
    """Collects the steps of one call."""

    def __init__(self, name: str, about: str) -> None:
        self.name = name
        self.about = about
        self.steps: list[Json] = []

    def caller(self, meaning: Json, event: Any = None, **more: Any) -> Call:
        """A message from the caller, and what the plugin makes of it; everything in it, if not said."""
        return self._message("caller", meaning, event, more)

    def plugin(self, meaning: Json, event: Any = None, **more: Any) -> Call:
        """A message from the plugin, and what the caller makes of it."""
        return self._message("plugin", meaning, event, more)

    def half_close(self, event: Any = "half_close", **more: Any) -> Call:
        self.steps.append({"from": "caller", "half_close": True, "event": event} | more)
        return self

    def status(self, code: str = "OK", event: Any = "complete") -> Call:
        """The plugin ends the call."""
        self.steps.append({"from": "plugin", "status": code, "event": event})
        return self

    def as_json(self) -> Json:
        return {"name": self.name, "about": self.about, "steps": self.steps}

    def _message(self, side: str, meaning: Json, event: Any, more: Json) -> Call:
        data = notation(encoded(side, meaning))
        events = event or [name for name in ("head", "credit", "data", "end") if name in meaning]
        self.steps.append({"from": side, "bytes": data, "message": meaning, "event": events} | more)
        return self


def fails(code: str, *, unprocessed: bool = False) -> Json:
    return {"status": code} | ({"unprocessed": True} if unprocessed else {})


def calls() -> Iterator[Json]:
    for call in (*_whole(), *_broken_by_the_caller(), *_broken_by_the_plugin()):
        yield call.as_json()


def _length(head: Json, length: int) -> Json:
    return head | {"fields": [["content-length", str(length)]]}


def _whole() -> Iterator[Call]:
    first = part(head=GET, end={})
    yield (
        Call("get", "one message each way")
        .caller(first)
        .plugin(part(head=_length(OK, 2), end={}, data=b"{}"))
        .status()
    )
    yield (
        Call("get-and-half-close", "the simplest caller; its credit has no limit then")
        .caller(first, plugin_credit=CREDIT)
        .half_close(plugin_credit=None)
        .plugin(part(head=OK, data=b"x" * MAX_DATA))
        .plugin(part(end={}))
        .status()
    )
    yield (
        Call("pull", "the caller grants credit twice, first with its head")
        .caller(part(head=GET, credit=CREDIT, end={}), plugin_credit=2 * CREDIT)
        .plugin(part(head=OK, data=b"x" * CREDIT), plugin_credit=CREDIT)
        .plugin(part(data=b"x" * CREDIT), plugin_credit=0)
        .caller(part(credit=100), plugin_credit=100)
        .plugin(part(end={}, data=b"x" * 100))
        .status()
    )
    yield (
        Call("push", "the plugin grants credit before it responds")
        .caller(part(head=_length(PUT, 100000)), caller_credit=CREDIT)
        .caller(part(data=b"x" * CREDIT), caller_credit=0)
        .plugin(part(credit=2 * CREDIT), caller_credit=2 * CREDIT)
        .caller(part(end={}, data=b"x" * 34464))
        .plugin(part(head={"status": 201}, end={}))
        .status()
    )
    yield (
        Call("trailers", "both ways")
        .caller(part(head=PUT, data=b"x"))
        .caller(part(end={"trailers": [["a", "1"]]}))
        .plugin(part(head=OK, data=b"y"))
        .plugin(part(end={"trailers": [["b", "2"]]}))
        .status()
    )
    yield (
        Call("head", "a response without content has a content-length")
        .caller(part(head=GET | {"method": "HEAD"}, end={}))
        .plugin(part(head=_length(OK, 100), end={}))
        .status()
    )
    yield (
        Call("refused-push", "the response ends before the request")
        .caller(part(head=PUT, data=b"x" * CREDIT))
        .plugin(part(head={"status": 401}, end={}))
        .status()
    )
    yield (
        Call("largest-credit", "what was used does not count")
        .caller(part(head=GET, credit=2147483647 - CREDIT, end={}), plugin_credit=2147483647)
        .plugin(part(head=OK, data=b"x"))
        .caller(part(credit=1), plugin_credit=2147483647)
    )


def _broken_by_the_caller() -> Iterator[Call]:
    """Messages, of which the last one ends the call."""
    broken, cut, invalid = (fails(code) for code in ("INTERNAL", "CANCELLED", "INVALID_ARGUMENT"))
    first, refused = (fails(code, unprocessed=True) for code in ("INTERNAL", "INVALID_ARGUMENT"))
    get, put = part(head=GET, end={}), part(head=PUT)
    byte, end = part(data=b"x"), part(end={})
    bad_trailers = part(end={"trailers": [["te", "x"]]})
    full, too_full = (part(head=PUT, data=b"x" * length) for length in (CREDIT, CREDIT + 1))
    all_credit = part(head=GET, credit=2147483647, end={})
    one, two = (part(head=_length(PUT, length)) for length in (1, 2))
    yield _failing("no-head", "data comes first", byte, event=first)
    yield _failing("nothing-first", "an empty message comes first", {}, event=first)
    yield _failing("nothing", "an empty message", put, {}, event=broken)
    yield _failing("second-head", "a head in a second message", put, put, event=broken)
    yield _failing("data-after-end", "content of an ended request", get, byte, event=broken)
    yield _failing("end-after-end", "a second end", get, end, event=broken)
    yield _failing("credit-exceeded", "a byte too many", full, byte, event=broken)
    yield _failing("credit-exceeded-at-once", "in the first message", too_full, event=first)
    yield _failing("too-much-credit", "more than the largest", all_credit, event=first)
    yield _failing("too-long", "more than its content-length", one, byte, byte, event=broken)
    yield _failing("too-short", "less than its content-length", two, byte, end, event=broken)
    yield _failing("too-short-at-once", "in the first message", two | end, event=first)
    yield _failing("bad-trailers", "a field that may not travel", put, bad_trailers, event=invalid)
    yield Call("no-message", "the caller half-closes at once").half_close(refused)
    yield Call("cut", "the caller half-closes before its end").caller(put).caller(byte).half_close(cut)
    for name, wrong in BAD_HEADS.items():
        yield _failing(
            f"bad-head-{name}", "a head that may not travel", part(head=GET | wrong, end={}), event=refused
        )


BAD_HEADS: Json = {
    "capital-letters": {"fields": [["Accept", "x"]]},
    "no-target": {"target": ""},
    "timeout": {"timeout_ms": 5},
    "accept-file": {"accept_file": True},
    "initial-credit": {"initial_credit": 5},
}


def _failing(name: str, about: str, *parts: Json, event: Json, side: str = "caller") -> Call:
    """A call of these messages, of which the last one ends it."""
    call = Call(name, about)
    if side == "plugin":
        call.caller(part(head=GET, end={}))
    for meaning in parts[:-1]:
        getattr(call, side)(meaning)
    result: Call = getattr(call, side)(parts[-1], event)
    return result


def _broken_by_the_plugin() -> Iterator[Call]:
    broken = fails("INTERNAL")
    ok, byte, end = part(head=OK), part(data=b"x"), part(end={})
    full = part(head=OK, data=b"x" * CREDIT)
    one, two = (part(head=_length(OK, length)) for length in (1, 2))
    for name, about, parts in (
        ("response-without-a-head", "data comes first", [byte]),
        ("second-response", "a second head", [ok, ok]),
        ("nothing-from-the-plugin", "an empty message", [{}]),
        ("data-after-the-response", "content after the end", [ok | end, byte]),
        ("response-beyond-credit", "a byte too many", [full, byte]),
        ("long-response", "more than its content-length", [one, byte, byte]),
        ("short-response", "less than its content-length", [two, byte, end]),
        ("bad-response", "a status that may not travel", [part(head={"status": 100}, end={})]),
    ):
        yield _failing(name, about, *parts, event=broken, side="plugin")
    request = part(head=GET, end={})
    asked = part(head=GET | {"method": "HEAD"}, end={})
    yield Call("head-with-content", "in a response to HEAD").caller(asked).plugin(ok | end | byte, broken)
    yield Call("no-response", "OK without a response").caller(request).status("OK", broken)
    yield Call("no-end", "OK before the end").caller(request).plugin(ok | byte).status("OK", broken)
    for code in ("UNAVAILABLE", "DATA_LOSS"):
        call = Call(f"response-{code.lower()}", "the caller reports the status").caller(request)
        yield call.plugin(ok | byte).status(code, fails(code))
