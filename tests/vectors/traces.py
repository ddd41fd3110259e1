"""Frames, and how a trace shows them (udist_plugin/docs/trace.md): much by its length alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.vectors.notation import encoded, frame, notation, prefixed
from tests.vectors.single import get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vectors.notation import Json

SECRET = "hunter2"


def traces() -> Iterator[Json]:
    yield _shown("ping", frame(ping={"token": 7}), {"ping": {"token": 7}})
    yield _shown("pong", frame(ping={"token": 0, "ack": True}), {"ping": {"ack": True}})
    yield _shown(
        "window-update",
        frame(3, window_update={"credit": 9}),
        {"stream_id": 3, "window_update": {"credit": 9}},
    )
    yield _shown("data", frame(1, data=b"hunter2"), {"stream_id": 1, "data": 7})
    yield _shown(
        "data-of-nothing", frame(1, last=True, data=b""), {"stream_id": 1, "end_stream": True, "data": 0}
    )
    yield _trace(
        "data-that-is-not-canonical",
        prefixed(bytes.fromhex("7a0768756e746572320801")),
        {"stream_id": 1, "data": 7},
    )
    yield from _settings()
    yield from _fields()
    yield from _urls()
    yield from _messages()


def _settings() -> Iterator[Json]:
    settings = {
        "versions": [1],
        "max_streams": 64,
        "capabilities": ["redirect"],
        "implementation": "udist-go/0.1.0",
        "process_id": 4711,
    }
    yield _shown("settings", frame(settings=settings), {"settings": settings})
    secret = {
        "configuration": f"password: {SECRET}",
        "environment": {"REGISTRY_HTTP_SECRET": SECRET, "REGISTRY_X": "grüße"},
        "configuration_name": "/etc/udist.yml",
        "warnings": [f"storage.s3.{SECRET}: unknown key", "grüße"],
    }
    yield _shown(
        "settings-with-secrets",
        frame(settings=settings | secret),
        {
            "settings": settings
            | {
                "configuration": 17,
                "environment": {"REGISTRY_HTTP_SECRET": 7, "REGISTRY_X": 7},
                "configuration_name": 14,
                "warnings": [31, 7],
            }
        },
    )
    empty = {"versions": [1], "configuration": "", "environment": {}}
    yield _shown(
        "settings-with-nothing",
        frame(settings=empty),
        {"settings": {"versions": [1], "configuration": 0, "environment": {}}},
    )


def _fields() -> Iterator[Json]:
    given = [
        ["content-type", "text/plain"],
        ["authorization", f"Basic {SECRET}"],
        ["cookie", SECRET],
        ["user-agent", SECRET],
        ["x-anything", ""],
        ["accept", "a/b"],
        ["accept", "gr\u00fc\u00dfe"],
        ["accept", "tab\tbed"],
        ["content-length", "5"],
    ]
    shown = [
        ["content-type", "text/plain"],
        ["authorization", 13],
        ["cookie", 7],
        ["user-agent", 7],
        ["x-anything", 0],
        ["accept", "a/b"],
        ["accept", 5],
        ["accept", 7],
        ["content-length", "5"],
    ]
    request = get("/v2/") | {"timeout_ms": 500}
    yield _shown(
        "request-fields",
        frame(1, last=True, request=request | {"fields": given}),
        {"stream_id": 1, "end_stream": True, "request": request | {"fields": shown}},
    )
    yield _shown(
        "response-fields",
        frame(1, response={"status": 200, "fields": [["set-cookie", SECRET], ["etag", '"a"']]}),
        {"stream_id": 1, "response": {"status": 200, "fields": [["set-cookie", 7], ["etag", '"a"']]}},
    )
    file = {"fd": 9, "length": "5", "inode": "9007199254740993"}
    yield _shown(
        "request-with-a-file",
        frame(1, last=True, request=request | {"accept_file": True, "file": file}),
        {"stream_id": 1, "end_stream": True, "request": request | {"accept_file": True, "file": file}},
    )
    yield _shown(
        "response-with-a-file",
        frame(1, response={"status": 200, "file": file}),
        {"stream_id": 1, "response": {"status": 200, "file": file}},
    )
    yield _shown(
        "trailers",
        frame(1, end={"trailers": [["x-checksum", SECRET]]}),
        {"stream_id": 1, "end": {"trailers": [["x-checksum", 7]]}},
    )
    yield _shown("end", frame(1, end={}), {"stream_id": 1, "end": {}})


def _urls() -> Iterator[Json]:
    for name, target, shown in (
        ("asterisk", "*", "*"),
        ("path", "/v2/a%20b/blobs/@x/", "/v2/a%20b/blobs/@x/"),
        ("parameters", "/?digest=a:b&mount=c&from=d&n=1&last=e&tag=f&artifactType=g", None),
        ("empty-parameter", "/?digest=&&n=1", None),
        ("state", f"/u?_state={SECRET}%3d&digest=a", "/u?_state=<10>&digest=a"),
        ("parameter-alone", f"/?{SECRET}", "/?<7>"),
        ("parameter-of-nothing", "/?aHVudGVy==", "/?<10>"),
        ("parameter-with-a-strange-name", f"/?{SECRET}%3d=1&Digest=a", "/?<12>&Digest=<1>"),
        ("parameter-with-a-long-name", f"/?{'a' * 65}=1", "/?<67>"),
        ("question-in-a-query", f"/?a?{SECRET}", "/?<9>"),
        ("empty-query", "/v2/?", "/v2/?"),
    ):
        yield _shown(
            f"target-{name}",
            frame(1, last=True, request=get(target)),
            {"stream_id": 1, "end_stream": True, "request": get(shown or target)},
        )
    for name, location, value in (
        ("signed", f"https://b.example/k?X-Sig={SECRET}", "https://b.example/k?X-Sig=<7>"),
        ("login", f"https://me:{SECRET}@b.example/k@1", "https://<10>@b.example/k@1"),
        ("login-without-scheme", f"//{SECRET}@b.example/", "//<7>@b.example/"),
        ("fragment", f"/v2/#{SECRET}?n=1", "/v2/#<11>"),
        ("query-and-fragment", f"/v2/?n=1#{SECRET}", "/v2/?n=1#<7>"),
        ("not-ascii", "/v2/gr\u00fc\u00dfe", 9),
    ):
        yield _shown(
            f"location-{name}",
            frame(1, response={"status": 307, "fields": [["location", location]]}),
            {"stream_id": 1, "response": {"status": 307, "fields": [["location", value]]}},
        )


def _messages() -> Iterator[Json]:
    for name, message, shown in (
        ("plain", "content of 5 bytes, is it 6? no", "content of 5 bytes, is it 6? no"),
        ("query", f"target '/v2/?_state={SECRET}' is strange", "target '/v2/?<15> is strange"),
        ("login", f"https://me:{SECRET}@b.example/k?s={SECRET} failed", "<18>@b.example/k?<9> failed"),
        ("query-with-a-login", f"/v2/?a={SECRET}@b?c", "<14>@b?<1>"),
        ("word", f"@ ?{SECRET} grüße@x", "@ ?<7> <7>@x"),
    ):
        yield _shown(
            f"reset-{name}",
            frame(1, reset={"code": "INTERNAL", "message": message, "unprocessed": True}),
            {"stream_id": 1, "reset": {"code": "INTERNAL", "message": shown, "unprocessed": True}},
        )
    yield _shown("reset-ok", frame(1, reset={}), {"stream_id": 1, "reset": {}})
    yield _shown(
        "go-away",
        frame(go_away={"last_stream_id": 5, "code": "INVALID_ARGUMENT", "message": f"secret: {SECRET}"}),
        {"go_away": {"last_stream_id": 5, "code": "INVALID_ARGUMENT", "message": 15}},
    )
    yield _shown(
        "log",
        frame(log={"level": "info", "message": SECRET, "fields": [["key", SECRET], ["content-type", "a/b"]]}),
        {"log": {"level": "info", "message": 7, "fields": [["key", 7], ["content-type", "a/b"]]}},
    )


def _shown(name: str, meaning: Json, trace: Json) -> Json:
    return _trace(name, encoded(meaning), trace)


def _trace(name: str, content: bytes, trace: Json) -> Json:
    return {"name": name, "bytes": notation(content), "trace": trace}
