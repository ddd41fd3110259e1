"""A store on the network: a folder's files by HTTP, and what can go wrong there, by the path's first part."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path


class Store(ThreadingHTTPServer):
    """Serves ``folder`` below ``/files``. ``seen`` are the requests' heads; ``released`` ends what hangs."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.hanging = threading.Event()
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        fields = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, fields))
        _, kind, path = urlsplit(self.path).path.split("/", 2)  # a proxy is asked for a whole URL
        getattr(self, f"_{kind}")(path)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        """The tests look at ``seen``."""

    def _files(self, path: str) -> None:
        data = (self.server.folder / path).read_bytes()
        size, status = len(data), 200
        fields = {
            "ETag": '"the store\'s"',
            "Set-Cookie": "store=1",
            "Content-Type": "application/octet-stream",
        }
        if match := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", "")):
            first, last = map(int, match.groups())
            data, status = data[first : last + 1], 206
            fields["Content-Range"] = f"bytes {first}-{first + len(data) - 1}/{size}"
        self._answer(status, **fields, **{"Content-Length": str(len(data))})
        if self.command == "GET":
            self.wfile.write(data)

    def _moved(self, path: str) -> None:
        self._answer(302, Location=f"/files/{path}")

    def _loop(self, path: str) -> None:
        self._answer(307, Location=f"/loop/{path}")

    def _nowhere(self, _: str) -> None:
        self._answer(302)

    def _denied(self, _: str) -> None:
        self._answer(403)

    def _silent(self, _: str) -> None:
        self._hang()

    def _stalls(self, _: str) -> None:
        self._answer(200, **{"Content-Length": "10"})
        self.wfile.write(b"hello")
        self._hang()

    def _cut(self, _: str) -> None:
        self._answer(200, **{"Content-Length": "10"})
        self.wfile.write(b"hello")

    def _chunked(self, _: str) -> None:
        self._answer(200, **{"Transfer-Encoding": "chunked"})
        self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")

    def _answer(self, status: int, **fields: Any) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()

    def _hang(self) -> None:
        self.server.hanging.set()
        self.server.released.wait(60)
