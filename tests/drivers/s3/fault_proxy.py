"""An HTTP proxy before a server, which does to some requests what networks and services do."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STALL: Final = 1.0
"""Seconds that a stalled answer takes."""

_STATUS: Final = {
    "denied": (403, "AccessDenied"),
    "failed": (500, "InternalError"),
    "throttled": (503, "SlowDown"),
}


class Faults:
    """What befalls which requests, and the requests there were: ``METHOD target``.

    ``denied``, ``failed`` and ``throttled`` are answers; ``refused`` requests are dropped before the server
    sees them and ``lost`` ones after; of an answer that is ``cut`` half arrives, of one that is ``halted``
    the other half comes late; a ``stalled`` one comes late as a whole.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._lock = threading.Lock()
        self._rules: list[tuple[str, re.Pattern[str], int]] = []
        self._first = ""
        self._done: set[str] = set()
        self._meanwhile: list[tuple[str, re.Pattern[str], Callable[[], object]]] = []

    def add(self, fault: str, pattern: str, times: int = 1 << 30) -> None:
        """For the next requests that the pattern is found in."""
        with self._lock:
            self._rules.append((fault, re.compile(pattern), times))

    def each_once(self, fault: str) -> None:
        """For every request when it comes for the first time."""
        self._first = fault

    def meanwhile(self, when: str, pattern: str, action: Callable[[], object]) -> None:
        """Does ``action`` when the next request that the pattern is found in is about to reach the server
        (``when`` is "before") or was answered by it ("after")."""
        with self._lock:
            self._meanwhile.append((when, re.compile(pattern), action))

    def do(self, when: str, request: str) -> None:
        """Does what was asked for at this moment of this request, each once."""
        with self._lock:
            due = [each for each in self._meanwhile if each[0] == when and each[1].search(request)]
            self._meanwhile = [each for each in self._meanwhile if each not in due]
        for _, _, action in due:
            action()

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()
            self._first = ""

    def next(self, request: str) -> str:
        """What befalls this one, if anything."""
        with self._lock:
            self.requests.append(request)
            for at, (fault, pattern, times) in enumerate(self._rules):
                if times and pattern.search(request):
                    self._rules[at] = (fault, pattern, times - 1)
                    return fault
            if self._first and request not in self._done:
                self._done.add(request)
                return self._first
        return ""


@contextmanager
def fault_proxy(url: str, port: int = 0) -> Iterator[tuple[str, Faults]]:
    """The proxy's URL, and its faults, for as long as the context; at any port unless one is given."""
    faults, closing = Faults(), threading.Event()
    address = urlsplit(url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = faults.next(f"{self.command} {self.path}")
            self.close_connection = fault in ("refused", "lost", "cut")
            if fault in _STATUS:
                status, code = _STATUS[fault]
                answer = f"<Error><Code>{code}</Code><Message>{fault}</Message></Error>".encode()
                self.reply(status, [("Content-Type", "application/xml")], answer, len(answer))
            elif fault != "refused":
                self.forward(content, fault)

        def forward(self, content: bytes, fault: str) -> None:
            connection = HTTPConnection(address, timeout=30)
            try:
                headers = {name: value for name, value in self.headers.items() if name != "Expect"}
                faults.do("before", f"{self.command} {self.path}")
                connection.request(self.command, self.path, content, headers)
                response = connection.getresponse()
                answer = response.read()
                faults.do("after", f"{self.command} {self.path}")
            finally:
                connection.close()
            if fault == "stalled":
                closing.wait(STALL)
            if fault != "lost":
                part = answer[: len(answer) // 2] if fault == "cut" else answer
                size = int(response.headers.get("Content-Length", len(answer)))
                halted = len(answer) // 2 if fault == "halted" else len(part)
                self.reply(response.status, response.getheaders(), part[:halted], size)
                if fault == "halted":
                    closing.wait(STALL)
                    self.wfile.write(part[halted:])

        def reply(self, status: int, headers: list[tuple[str, str]], content: bytes, size: int) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """The client is gone, as some faults make it."""

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", faults
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
