"""One request through a WSGI application (PEP 3333), and its response back onto the stream."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from itertools import chain

from udist_plugin.errors import LocalProtocolError, StorageError, TransportError
from udist_plugin.exhaustion import exhausted
from udist_plugin.link.output import SMALL
from udist_plugin.link.splice import SpliceableFile, descriptor_of
from udist_plugin.typed import TYPE_CHECKING, Any, Final
from udist_plugin.wire.constants import CODES, KEPT_FIELDS, KEPT_LENGTH
from udist_plugin.wire.frames import Response
from udist_plugin.wire.heads import HOP_BY_HOP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from udist_plugin.link.splice import Spliceable
    from udist_plugin.server.files import SentFile
    from udist_plugin.server.gate import Gate
    from udist_plugin.server.log import Log
    from udist_plugin.wire.frames import File, Request
    from udist_plugin.wire.stream import Stream

    class Chunk(Protocol):
        """Content in the buffer that it arrived in."""

        @property
        def view(self) -> memoryview: ...

        def release(self) -> None: ...

    class Served(Protocol):
        """One request to serve: ``ServerExchange``, or a call of gRPC. All raise ``TransportError``."""

        stream: Stream
        head: Request

        @property
        def shares_files(self) -> bool: ...

        def can_splice(self) -> bool: ...

        def sent_file(self) -> SentFile | None: ...

        def next_chunk(self) -> Chunk | None: ...

        def read_into(self, target: memoryview, /) -> int: ...

        def read(self, size: int = -1, /) -> bytes: ...

        def respond(self, head: Response, content: bytes = b"", /, *, end: bool) -> None: ...

        def send_content(self, content: bytes | memoryview, /, *, end: bool) -> None: ...

        def send_spliced(self, content: Spliceable, length: int, /, *, end: bool) -> None: ...

        def hold(self) -> None: ...

        def finish(self, code: str, message: str, /, *, unprocessed: bool = False) -> None: ...


IN_A_FILE: Final = 512 << 10
"""Bytes from which on content is handed over in its file: fewer take less processor time as data."""


class Input:
    """``wsgi.input``: empty only at the request's end, an error when the request was cut.

    ``content_length`` is in bytes, ``None`` when the request names none. ``next_chunk`` lends the buffer that
    a payload arrived in, so that nothing is copied; ``share``, if the content is in a file, has another file
    share it (``content.Shareable``).
    """

    def __init__(self, exchange: Served, file: SentFile | None = None) -> None:
        """``file`` has the content, if it does not come on the wire."""
        self._source = source = file or exchange
        self.next_chunk: Callable[[], Chunk | None] = source.next_chunk
        if file:
            self.content_length: int | None = file.size
            self.share: Callable[[int], bool] = file.share
        else:
            self.content_length = exchange.stream.expected

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Reads once into ``buffer``; 0 at the end."""
        return self._source.read_into(memoryview(buffer).cast("B"))

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes, fewer only at the end; everything when negative."""
        return self._source.read(size)

    def readline(self, size: int = -1) -> bytes:
        """Up to a line's end, or ``size`` bytes."""
        line = bytearray()
        while len(line) != size and (byte := self.read(1)):
            line += byte
            if byte == b"\n":
                break
        return bytes(line)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """All lines that are left; ``hint`` is not needed."""
        del hint
        return list(self)

    def __iter__(self) -> Input:
        return self

    def __next__(self) -> bytes:
        if line := self.readline():
            return line
        raise StopIteration


class FileWrapper:
    """``wsgi.file_wrapper``: a file from its current position, which the kernel moves where it can."""

    def __init__(self, file: Any, block_size: int = 64 << 10) -> None:
        self.file = file
        self.block_size = block_size
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        if data := self.file.read(self.block_size):
            return bytes(data)
        raise StopIteration


def environ_for(
    exchange: Served, file: SentFile | None, errors: Log, capabilities: frozenset[str]
) -> WSGIEnvironment:
    """The request as PEP 3333 has it; ``REQUEST_URI`` is the target as sent."""
    head = exchange.head
    path, _, query = head.target.partition("?")
    host, _, port = head.authority.rpartition(":")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _unquoted(path) if "%" in path else path,
        "QUERY_STRING": query,
        "REQUEST_URI": head.target,
        "SERVER_NAME": host or head.authority or "localhost",
        "SERVER_PORT": port if host and port.isdigit() else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": head.authority,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": head.scheme,
        "wsgi.input": Input(exchange, file),
        "wsgi.input_terminated": True,
        "wsgi.errors": errors,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "udist.capabilities": capabilities,
    }
    for name, value in head.fields:
        key = _variable(name)
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]}, {text}" if key in environ and key != "HTTP_HOST" else text
    return environ


@lru_cache(KEPT_FIELDS)
def _variable(field: str) -> str:
    key = field.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


def _unquoted(path: str) -> str:
    from urllib.parse import unquote_to_bytes  # slow to import, and most paths need none of it

    return unquote_to_bytes(path).decode("latin-1")


class Responder:
    """``start_response`` for one exchange, and what becomes of the application's result."""

    def __init__(self, exchange: Served, gate: Gate) -> None:
        self._gate = gate
        self._exchange = exchange
        self._head: Response | None = None
        self._sent = False

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """PEP 3333's; fields about a connection are dropped. Raises ``exc_info`` once the head has gone."""
        if exc_info and self._sent:
            raise exc_info[1].with_traceback(exc_info[2])
        fields = [
            _kept_field(name, value) if len(name) + len(value) <= KEPT_LENGTH else _field(name, value)
            for name, value in headers
        ]
        self._head = Response(int(status[:3]), [field for field in fields if field[0] not in HOP_BY_HOP])
        return self._write

    def send(self, result: Iterable[bytes]) -> None:
        """Sends what the application returned, to its end."""
        if self._head is None:  # a generator calls start_response when its first piece is asked for
            pieces = iter(result)
            result = chain([next(pieces, b"")], pieces)
        head = self._started()
        length = next((int(value) for name, value in head.fields if name == "content-length"), None)
        if self._bodiless(head):
            self._sent = True
            self._exchange.respond(head, end=True)
        elif length and (file := self._file(head, result, length)):
            self._sent = True
            self._gate.leave()
            self._exchange.respond(head._replace(file=file), end=False)
            self._exchange.hold()
        elif length and (content := self._spliceable(result)) is not None:
            self._sent = True
            self._gate.leave()
            self._exchange.respond(head, end=False)
            self._exchange.send_spliced(content, length, end=True)
        elif isinstance(result, list | tuple) and len(result) < 2 and not self._sent:
            self._send_all(head, result[0] if result else b"")
        else:
            self._gate.leave()
            for data in result:
                self._write(data)
            if not self._sent:
                self._sent = True
                self._exchange.respond(head, end=True)
            else:
                self._exchange.send_content(b"", end=True)

    def give_up(self) -> None:
        """Answers 503 if no answer has gone out yet."""
        if not self._sent:
            fields = [("retry-after", b"5"), ("content-length", b"0")]
            self._exchange.respond(Response(503, fields), end=True)

    def _bodiless(self, head: Response) -> bool:
        return self._exchange.head.method == "HEAD" or head.status in (204, 304)

    def _started(self) -> Response:
        if self._head is None:
            raise LocalProtocolError("the application returned without start_response")
        return self._head

    def _file(self, head: Response, result: object, length: int) -> File | None:
        """Where the caller finds the content, if it is in a file and the caller would rather open that."""
        if not self._exchange.shares_files or self._exchange.head.method != "GET" or length < IN_A_FILE:
            return None
        if not isinstance(result, FileWrapper) or head.status not in (200, 206):
            return None
        from udist_plugin.link.files import described_file

        return described_file(result.file, length)

    def _spliceable(self, result: Any) -> Spliceable | None:
        """What the kernel can move: a file, or an iterable with the verb of ``Spliceable``."""
        if isinstance(result, FileWrapper):
            file = descriptor_of(result.file)
            return None if file is None else SpliceableFile(file)
        return result if hasattr(result, "splice") and self._exchange.can_splice() else None

    def _send_all(self, head: Response, content: bytes) -> None:
        view = memoryview(content)  # text fails here, before anything was sent
        self._sent = True
        if len(content) <= min(SMALL, self._exchange.stream.send_window.credit):
            self._exchange.respond(head, bytes(view), end=True)
        else:
            self._gate.leave()
            self._exchange.respond(head, end=False)
            self._exchange.send_content(view, end=True)

    def _write(self, data: bytes) -> None:
        head = self._started()
        if not data or self._bodiless(head):
            return
        if not self._sent:
            self._sent = True
            self._exchange.respond(head, end=False)
        self._exchange.send_content(data, end=False)


def _field(name: str, value: str) -> tuple[str, bytes]:
    return name.lower(), value.encode("latin-1")


_kept_field = lru_cache(KEPT_FIELDS)(_field)


def serve_exchange(
    exchange: Served,
    application: WSGIApplication,
    log: Log,
    capabilities: frozenset[str],
    gate: Gate,
) -> None:
    """Runs the application for one request. Whatever happens, the stream ends and its slot is free. Bulk
    data is sent outside ``gate``.

    Raises only what ends the link.
    """
    code, message = "OK", ""
    try:
        file = exchange.sent_file()
    except OSError as error:
        exchange.finish("FAILED_PRECONDITION", f"the file is unusable: {error}", unprocessed=True)
        return
    responder = Responder(exchange, gate)
    try:
        result = application(environ_for(exchange, file, log, capabilities), responder.start_response)
        try:
            responder.send(result)
        finally:
            if hasattr(result, "close"):
                result.close()
    except TransportError as error:
        code, message = error.code if error.code in CODES else "UNKNOWN", str(error)
        log.record("info", f"stream {exchange.stream.id}: {error}")
    except StorageError as error:  # in the middle of content: before it there is an answer of HTTP for this
        code, message = "UNAVAILABLE", "the store failed; the plugin's log says how"
        log.record("error", f"stream {exchange.stream.id}: {error}")
    except BaseException as error:  # SystemExit too: it would end this thread, not the plugin
        code, message = "INTERNAL", "the application failed; its log says why"
        if exhausted(error):
            code, message = "UNAVAILABLE", "the plugin has no more descriptors, threads or memory"
            with suppress(TransportError):
                responder.give_up()
        log.record("error", f"stream {exchange.stream.id}: {trace(error)}")
    finally:
        if file:
            file.close()
        exchange.finish(code, message)


def trace(error: BaseException) -> str:
    """The stack trace, or as much as can be told when there is no descriptor to import what makes one."""
    try:
        from traceback import format_exception
    except OSError:
        return repr(error)
    return "".join(format_exception(error))
