"""WSGI applications served over standard input and output: ``python -m tests.server.apps``.

The path chooses what happens, so that a test can have the plugin's side do anything at all.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from udist_plugin.server.stdio import serve
from udist_plugin.server.streams import take_standard_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Environ = dict[str, Any]
    Start = Callable[..., Any]

_stalled = threading.Event()
_stalling = threading.Event()
_tried: dict[str, int] = {}


def application(environ: Environ, start_response: Start) -> Iterable[bytes]:
    name, _, argument = environ["PATH_INFO"][1:].partition("/")
    return _HANDLERS[name](argument, environ, start_response)


def echo(_: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Sends the request's content back as it comes."""
    start_response("200 OK", [])
    while data := environ["wsgi.input"].read(1000):
        yield data


def count(_: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Says how much content there was, read by borrowed chunks."""
    total = 0
    while (chunk := environ["wsgi.input"].next_chunk()) is not None:
        total += len(chunk.view)
        chunk.release()
    start_response("200 OK", [])
    return [str(total).encode()]


def v2(path: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Reads all there is, and answers with more than any first credit covers."""
    while environ["wsgi.input"].read(1000):
        pass
    return zeros("1000000", environ, start_response)


def count_resumed(_: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """As ``count``, once somebody has asked for ``/resume``."""
    _stalling.set()
    _stalled.wait(60)
    return count(_, environ, start_response)


def refuse(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """Answers without reading anything."""
    start_response("413 Content Too Large", [("Content-Type", "text/plain")])
    return [b"no"]


def zeros(length: str, _: Environ, start_response: Start) -> Iterable[bytes]:
    """Content that exists nowhere, made as it is sent."""
    start_response("200 OK", [("Content-Length", length)])
    left = int(length)
    while left:
        yield bytes(min(left, 64 << 10))
        left -= min(left, 64 << 10)


def drip(length: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """A byte every tenth of a second."""
    start_response("200 OK", [("Content-Length", length)])
    for _ in range(int(length)):
        time.sleep(0.1)
        yield bytes(1)


def file(path: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """A file by ``wsgi.file_wrapper``; ``?length`` claims another length."""
    opened = open(f"/{path}", "rb", buffering=0)  # noqa: SIM115 - the server closes it
    length = environ["QUERY_STRING"] or str(os.fstat(opened.fileno()).st_size)
    start_response("200 OK", [("Content-Length", length)])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened)
    return wrapped


def read_before(path: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """A file that the application has looked into, from its tenth byte on."""
    opened = open(f"/{path}", "rb")  # noqa: SIM115 - the server closes it
    opened.read(20)
    opened.seek(10)
    start_response("200 OK", [("Content-Length", str(os.fstat(opened.fileno()).st_size - 10))])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened)
    return wrapped


def memory(size: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """What is like a file and has no descriptor, by ``wsgi.file_wrapper``."""
    start_response("200 OK", [("Content-Length", size)])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(bytes(int(size))))
    return wrapped


def stall(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """A disk that does not answer until somebody asks for ``/resume``."""
    _stalling.set()
    _stalled.wait(60)
    start_response("200 OK", [])
    return [b"late"]


def stalling(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """Answers when ``/stall`` was asked for."""
    _stalling.wait(60)
    start_response("204 No Content", [])
    return []


def resume(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    _stalled.set()
    start_response("204 No Content", [])
    return []


def shout(lines: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Fills standard error."""
    for number in range(int(lines)):
        environ["wsgi.errors"].write(f"line {number} {'x' * 200}\n")
    start_response("200 OK", [])
    return [b"shouted"]


def text(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """Prints, as a careless library would."""
    print("a print that must not reach the protocol")
    sys.stdout.flush()
    os.write(1, b"nor may this\n")
    start_response("200 OK", [])
    return [b"fine"]


def crash(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """Dies with a last word."""
    os.write(2, b"the last word\n")
    os._exit(3)


def fail(_: str, __: Environ, ___: Start) -> Iterable[bytes]:
    raise ValueError("the application is broken")


def fail_late(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [])
    yield b"some"
    raise ValueError("the application broke in the middle")


def without_descriptors(when: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """Finds no descriptor left, before its answer or within it."""
    if when == "late":
        start_response("200 OK", [])
        yield b"some"
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def cookie(name: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Sets a cookie and another, and says which it was sent."""
    start_response("200 OK", [("Set-Cookie", f"{name}=1; Path=/"), ("Set-Cookie", "other=2; Path=/")])
    return [environ.get("HTTP_COOKIE", "none").encode()]


def busy(key: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    """Refuses ``key`` twice before it sends the request's content back."""
    _tried[key] = _tried.get(key, 0) + 1
    if _tried[key] < 3:
        start_response("503 Service Unavailable", [])
        return [b"busy"]
    return echo(key, environ, start_response)


def string(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """Text where WSGI has bytes."""
    start_response("200 OK", [])
    return ["text"]  # type: ignore[list-item]


def leave(_: str, __: Environ, ___: Start) -> Iterable[bytes]:
    sys.exit(3)


def written(_: str, __: Environ, start_response: Start) -> Iterable[bytes]:
    """Content by the function that ``start_response`` returns."""
    start_response("200 OK", [("Content-Length", "4")])(b"abcd")
    return []


def environ(_: str, values: Environ, start_response: Start) -> Iterable[bytes]:
    """The environment, a line a variable."""
    start_response("200 OK", [("X-Twice", "a"), ("X-Twice", "b")])
    return ["\n".join(f"{key}={value}" for key, value in sorted(values.items())).encode()]


_HANDLERS: dict[str, Callable[[str, Environ, Start], Iterable[bytes]]] = {
    handler.__name__: handler
    for handler in (
        busy, cookie, count, count_resumed, crash, drip, echo, environ, fail, fail_late, file, leave, memory,
        read_before, refuse, resume, shout, stall, stalling, string, text, v2, without_descriptors, written,
        zeros,
    )
}  # fmt: skip


class Service:
    """The application as ``serve`` wants it."""

    drain_timeout = 5.0
    spin = 0.0
    warnings: Sequence[str] = ()

    def __init__(self, max_streams: int = 64) -> None:
        self.max_streams = max_streams

    def __call__(self, environ: Environ, start_response: Start, /) -> Iterable[bytes]:
        return application(environ, start_response)

    def start(self, record: Callable[[str, str], object]) -> None:
        pass

    def warm_up(self) -> None:
        pass

    def wait_within(self, context: object) -> bool:
        return False

    def close(self) -> None:
        pass


if __name__ == "__main__":
    serve(*take_standard_streams(), lambda *_: Service(*map(int, sys.argv[1:])))
