"""A WSGI application as a transport: the registry in this process, no plugin and no HTTP syntax between."""

from __future__ import annotations

import io
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from udist_plugin.errors import StreamReset
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Self
    from wsgiref.types import WSGIApplication

    from udist_plugin.content import Readable
    from udist_plugin.remote.transport import Body, Field


class WSGITransport:
    """Calls ``application`` (PEP 3333) in the caller's thread.

    ``capabilities`` are announced to it as a plugin's caller would. A timeout cannot interrupt a call and
    is ignored.
    """

    def __init__(self, application: WSGIApplication, capabilities: Iterable[str] = ()) -> None:
        self._application = application
        self._capabilities = frozenset(capabilities)

    def request(
        self,
        method: str,
        target: str,
        /,
        *,
        headers: Mapping[str, str] | Sequence[Field] = (),
        body: Body | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> WSGIResponse:
        """The application's response, read as it is produced."""
        environ = self._environ(method, target, headers)
        environ["wsgi.input"] = _Input(body, environ.get("CONTENT_LENGTH"))
        head = _Head()
        content = self._application(environ, head.start)
        return WSGIResponse(head, content, has_content=method != "HEAD")

    def close(self) -> None:
        """Nothing is held."""

    def _environ(
        self, method: str, target: str, headers: Mapping[str, str] | Sequence[Field]
    ) -> dict[str, Any]:
        import sys

        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": target,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            "wsgi.file_wrapper": _FileWrapper,
            "udist.capabilities": self._capabilities,
        }
        for name, value in headers.items() if isinstance(headers, Mapping) else headers:
            key = name.upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            environ[key] = f"{environ[key]}, {value}" if key in environ else value
        return environ


class WSGIResponse:
    """A response as the application produces it."""

    def __init__(self, head: _Head, content: Iterable[bytes], *, has_content: bool) -> None:
        self._content = content
        self._pieces: Iterator[bytes] = iter(content)
        while head.status is None:  # PEP 3333 allows start_response as late as the first piece
            head.written.append(next(self._pieces))
        self.status = head.status
        self.headers = [(name.lower(), value) for name, value in head.headers]
        self._rest = memoryview(b"".join(head.written))
        length = self.header("content-length")
        has_content = has_content and self.status not in (204, 304)
        self._left = (int(length) if length else None) if has_content else 0

    def header(self, name: str, /) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def read(self, size: int = -1, /) -> bytes:
        """Raises ``StreamReset`` when the application gives less than it announced."""
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        if self._left is not None:
            size = min(size, self._left)
        while size and not self._rest:
            piece = self._next_piece(size)
            if piece is None:
                if self._left:
                    raise StreamReset(f"the response ended {self._left} bytes before its content-length")
                return b""
            self._rest = memoryview(piece)
        data = bytes(self._rest[:size])
        self._rest = self._rest[size:]
        if self._left is not None:
            self._left -= len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        content, self._content, self._pieces, self._left = self._content, (), iter(()), 0
        if callable(close := getattr(content, "close", None)):
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _next_piece(self, size: int) -> bytes | None:
        if isinstance(self._content, _FileWrapper):
            return self._content.file.read(size) or None
        return next(self._pieces, None)


class _Head:
    """What ``start_response`` was told."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: list[Field] = []
        self.written: list[bytes] = []

    def start(
        self, status: str, headers: list[Field], _exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        self.status, self.headers = int(status[:3]), headers
        return self.written.append


class _FileWrapper:
    """PEP 3333's ``wsgi.file_wrapper``: the reader takes straight from the file."""

    def __init__(self, file: Any, block_size: int = 1 << 16) -> None:
        self.file = file
        self._block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(self._block_size), b"")

    def close(self) -> None:
        if callable(close := getattr(self.file, "close", None)):
            close()


class _Input(io.RawIOBase):
    """``wsgi.input`` over a request's content, held to its content-length."""

    def __init__(self, body: Body | None, length: str | None) -> None:
        self._source: Readable = io.BytesIO(body or b"") if body is None or isinstance(body, bytes) else body
        self._left = int(length) if length else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Raises ``StreamReset`` when the content ends before its content-length."""
        size = len(buffer)
        data = self._source.read(size if self._left is None else min(size, self._left))
        if self._left is not None:
            if size and self._left and not data:
                raise StreamReset(f"the request ended {self._left} bytes before its content-length")
            self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)
