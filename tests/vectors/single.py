"""Single frames: what valid bytes mean, and which bytes are no frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.vectors.notation import WIDE, Json, encoded, frame, notation, prefixed

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DATA = 1 << 20
MAX_CONTROL = 64 << 10
LENGTH = [["content-length", "100000"]]
FILE = {
    "fd": 9,
    "offset": "4096",
    "length": "100000",
    "device": "26",
    "inode": "1099511627777",
    "size": "104096",
}
"""A file with content of ``LENGTH``."""
LARGEST = str((1 << 64) - 1)


def frames() -> Iterator[Json]:
    """Valid frames: the one way to write each, and other ways that a reader must take as well."""
    yield _valid(
        "settings-of-a-caller", frame(settings={"versions": [1], "implementation": "udist-go/0.1.0"})
    )
    yield _valid(
        "settings-with-everything",
        frame(
            settings={
                "versions": [1, 2, 300],
                "max_streams": 128,
                "capabilities": ["redirect", "log"],
                "implementation": "udist-python/0.1.0",
                "process_id": 4294967295,
                "configuration": "version: 0.1\nstorage:\n  inmemory: {}\n",
                "environment": {"REGISTRY_LOG_LEVEL": "debug", "REGISTRY_HTTP_SECRET": "grüße"},
                "configuration_name": "/etc/udist.yml",
                "warnings": ["lgo (/etc/udist.yml:2): unknown key, ignored; did you mean log?", "grüße"],
            }
        ),
    )
    yield _valid(
        "settings-with-an-empty-configuration-and-environment",
        frame(settings={"versions": [1], "configuration": "", "environment": {}}),
    )
    yield _valid("request", frame(1, last=True, request=get("/v2/")))
    yield _valid(
        "request-with-everything",
        frame(
            2147483647,
            request={
                "method": "PATCH",
                "scheme": "https",
                "authority": "registry.example:5000",
                "target": "/v2/library/hello%20world/blobs/uploads/?_state=a&b",
                "fields": [["accept", "a/b"], ["accept", "c/d"], ["x-raw", "\u00ff\u0080"], ["x-empty", ""]],
                "timeout_ms": 4294967295,
            },
        ),
    )
    yield _valid(
        "request-that-accepts-a-file", frame(1, last=True, request=get("/v2/") | {"accept_file": True})
    )
    yield _valid(
        "request-with-a-file",
        frame(1, last=True, request=get("/v2/") | {"method": "PUT", "fields": LENGTH, "file": FILE}),
    )
    yield _valid("request-with-little-credit", frame(129, request=get("/v2/") | {"initial_credit": 16384}))
    yield _valid("response", frame(1, response={"status": 200, "fields": [["content-length", "2"]]}))
    yield _valid("response-with-a-file", frame(1, response={"status": 200, "fields": LENGTH, "file": FILE}))
    yield _valid(
        "response-with-a-file-of-large-numbers",
        frame(1, response={"status": 206, "file": {"fd": 4294967295} | dict.fromkeys(WIDE, LARGEST)}),
    )
    yield _valid("response-with-an-empty-file", frame(1, response={"status": 200, "file": {}}))
    yield _valid("response-without-content", frame(1, last=True, response={"status": 404}))
    yield _valid("end", frame(1, end={}))
    yield _valid("end-with-trailers", frame(1, end={"trailers": [["x-checksum", "abc"]]}))
    yield _valid("window-update", frame(3, window_update={"credit": 2147483647}))
    yield _valid("reset-ok", frame(3, reset={}))
    yield _valid(
        "reset-unprocessed", frame(3, reset={"code": "UNAVAILABLE", "message": "later", "unprocessed": True})
    )
    yield _valid("ping", frame(ping={"token": 7}))
    yield _valid("pong", frame(ping={"token": 7, "ack": True}))
    yield _valid(
        "go-away",
        frame(go_away={"last_stream_id": 5, "code": "INVALID_ARGUMENT", "message": "storage: expected one"}),
    )
    yield _valid(
        "log", frame(log={"level": "info", "message": "hello", "fields": [["repository", "demo/readme"]]})
    )
    yield from _data_frames()
    yield from _other_ways()


def _data_frames() -> Iterator[Json]:
    yield _valid("data", frame(1, data=b"hello"))
    yield _valid("data-that-ends", frame(1, last=True, data=b"hello"))
    yield _valid("data-of-nothing-that-ends", frame(1, last=True, data=b""))
    yield _valid("data-of-127-bytes", frame(127, data=b"x" * 127))
    yield _valid("data-of-128-bytes", frame(128, data=b"x" * 128))
    yield _valid("largest-data-on-the-last-stream", frame(2147483647, last=True, data=b"x" * MAX_DATA))


def _other_ways() -> Iterator[Json]:
    hello = frame(1, data=b"hello")
    yield _other("data-before-its-stream", "7a0568656c6c6f 0801", hello)
    yield _other("data-with-end-stream-false", "0801 1000 7a0568656c6c6f", hello)
    yield _other("data-on-a-stream-id-in-two-bytes", "088100 7a0568656c6c6f", hello)
    yield _other("data-with-its-length-in-two-bytes", "0801 7a850068656c6c6f", hello)
    longest = b"x" * (MAX_CONTROL - 8)
    yield _other(
        "longest-that-is-not-canonical", "0801 1000 7af8ff03" + longest.hex(), frame(1, data=longest)
    )
    yield _other("data-twice", "0801 7a03627965 7a0568656c6c6f", hello)
    yield _other("data-behind-another-body", "0801 4200 7a0568656c6c6f", hello)
    yield _other("data-with-an-unknown-field", "0801 6001 7a0568656c6c6f", hello)
    yield _other("data-with-end-stream-last", "0801 7a0568656c6c6f 1001", frame(1, last=True, data=b"hello"))
    yield _other("end-stream-of-two", "0801 1002 7a00", frame(1, last=True, data=b""))
    yield _other("a-stream-id-of-33-bits", "0883 80808010 3200", frame(3, end={}))
    yield _other("another-body-behind-data", "0801 7a0568656c6c6f 3200", frame(1, end={}))
    yield _other("an-unknown-field-in-a-frame", "0801 3200 a006 01", frame(1, end={}))
    yield _other("an-unknown-field-in-a-body", "4a04 0807 7801", frame(ping={"token": 7}))
    yield _other("a-token-twice", "4a04 0801 0807", frame(ping={"token": 7}))
    yield _other("a-body-in-two-parts", "4a020807 4a021001", frame(ping={"token": 7, "ack": True}))
    yield _other("versions-not-packed", "1a04 0801 0802", frame(settings={"versions": [1, 2]}))
    yield _other("a-code-unknown-to-version-1", "0801 4202 0863", frame(1, reset={"code": "UNKNOWN"}))
    yield _other(
        "unknown-fields-of-every-wire-type",
        "0801 6001 61 0102030405060708 6202 0801 65 01020304 3200",
        frame(1, end={}),
    )
    yield _other("a-stream-id-of-ten-bytes", "08 81808080f0ffffffff01 3200", frame(1, end={}))
    yield _other(
        "end-stream-of-ten-bytes", "0801 10 ffffffffffffffffff01 7a00", frame(1, last=True, data=b"")
    )
    yield _other("end-stream-of-2-32", "0801 10 8080808010 7a00", frame(1, last=True, data=b""))
    yield _other("a-negative-code", "0801 420b 08 ffffffffffffffffff01", frame(1, reset={"code": "UNKNOWN"}))
    yield _other("versions-packed-and-not", "1a05 0a0101 0802", frame(settings={"versions": [1, 2]}))
    yield _other(
        "a-variable-twice",
        "1a14 0a0101 3a0f 0a06 0a0141 120131 0a05 0a0141 1200",
        frame(settings={"versions": [1], "environment": {"A": ""}}),
    )
    yield _other(
        "a-variable-without-value",
        "1a0a 0a0101 3a05 0a03 0a0141",
        frame(settings={"versions": [1], "environment": {"A": ""}}),
    )
    yield _other(
        "fields-apart",
        "0801 2a10 1206 0a01611201 31 08c801 1203 0a0162",
        frame(1, response={"status": 200, "fields": [["a", "1"], ["b", ""]]}),
    )

    yield _other(
        "an-inode-of-ten-bytes",
        "0801 2a0d 1a0b 28 87808080808080808000",
        frame(1, response={"file": {"inode": "7"}}),
    )
    yield _other(
        "a-file-in-two-parts",
        "0801 2a0d 1a020807 08c801 1a04 18051806",
        frame(1, response={"status": 200, "file": {"fd": 7, "length": "6"}}),
    )


def invalid() -> Iterator[Json]:
    """Bytes, then the end of file, that are no frame of version 1, and why."""
    yield _invalid("text", b"Hello, world\n", "first-byte")
    yield _invalid("a-compressed-message", b"\x01\0\0\0\0", "first-byte")
    yield _invalid("longer-than-any-frame", b"\0\0\x10\0\x21", "frame-length")
    yield _invalid("as-long-as-four-bytes-can-say", b"\0\xff\xff\xff\xff", "frame-length")
    yield _invalid(
        "a-payload-over-the-limit", bytes.fromhex("0000100007 0801 7a818040") + b"x" * 64, "payload-length"
    )
    yield _invalid("control-over-the-limit", b"\0\0\1\0\1" + b"\x4a\x00" * 32, "frame-length")
    yield _invalid(
        "data-over-the-limit-for-what-is-not-canonical",
        bytes.fromhex("0000010001 0801 1000 7af9ff03") + b"x" * 64,
        "frame-length",
    )
    yield _invalid("an-end-within-a-prefix", b"\0\0\0", "truncated", early=False)
    yield _invalid("an-end-within-a-frame", b"\0\0\0\0\x04\x4a\x02", "truncated", early=False)
    yield _invalid("an-end-within-a-payload", encoded(frame(1, data=b"hello"))[:-1], "truncated", early=False)
    yield _invalid("nothing", prefixed(b""), "no-body")
    yield _invalid("a-stream-alone", prefixed(b"\x08\x01"), "no-body")
    yield _invalid("a-body-of-the-future", prefixed(bytes.fromhex("0801 6200")), "no-body")
    yield _invalid("not-protobuf", prefixed(b"\xff\xff\xff"), "not-a-frame")
    yield _invalid("a-body-beyond-its-frame", prefixed(bytes.fromhex("4a050807")), "not-a-frame")
    yield _invalid("a-group-without-end", prefixed(bytes.fromhex("0b")), "not-a-frame")
    yield _invalid("field-number-0", prefixed(bytes.fromhex("0001 4a00")), "not-a-frame")
    yield _invalid("text-that-is-not-utf-8", prefixed(bytes.fromhex("0801 4204 1202 c328")), "not-a-frame")
    yield _invalid("a-wire-type-of-6", prefixed(bytes.fromhex("0e00 4a00")), "not-a-frame")
    yield _invalid("a-wire-type-of-7", prefixed(bytes.fromhex("0f00 4a00")), "not-a-frame")
    yield _invalid("an-end-of-no-group", prefixed(bytes.fromhex("64 4a00")), "not-a-frame")
    yield _invalid("a-varint-cut-short", prefixed(bytes.fromhex("4a00 0880")), "not-a-frame")
    yield _invalid("a-varint-of-eleven-bytes", prefixed(b"\x08" + b"\x80" * 10 + b"\x01"), "not-a-frame")


def get(target: str) -> dict[str, Any]:
    """The head of a GET request."""
    return {"method": "GET", "scheme": "http", "authority": "localhost", "target": target}


def _valid(name: str, value: Json) -> Json:
    return {"name": name, "canonical": True, "bytes": notation(encoded(value)), "frame": value}


def _other(name: str, text: str, value: Json) -> Json:
    content = prefixed(bytes.fromhex(text))
    return {"name": name, "canonical": False, "bytes": notation(content), "frame": value}


def _invalid(name: str, content: bytes, error: str, *, early: bool = True) -> Json:
    return {"name": name, "bytes": notation(content), "error": error, "early": early}
