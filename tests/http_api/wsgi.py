"""Calls a WSGI application as a server would (PEP 3333), and checks that its answers are well-formed."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from udist_plugin.content import Readable


class Answer(NamedTuple):
    """What came back; ``log`` is what went to ``wsgi.errors``."""

    status: int
    fields: Sequence[tuple[str, str]]
    content: bytes
    log: str = ""

    def field(self, name: str) -> str:
        """The first value of a field, empty when there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        """The first error's code."""
        return str(self.json()["errors"][0]["code"])


class Client:
    """Calls ``application`` without a server.

    ``environ`` is added to every request's, and ``prefix`` stands before every target.
    """

    def __init__(self, application: Callable[..., Any], environ: Mapping[str, Any] | None = None) -> None:
        self.application = application
        self.environ = dict(environ or {})
        self.prefix = ""

    def request(
        self,
        method: str,
        target: str,
        fields: Mapping[str, str] | None = None,
        content: bytes | Readable = b"",
        environ: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Content that is not bytes is of unknown length; ``environ`` has the last word on everything."""
        target = self.prefix + target
        path, _, query = target.partition("?")
        log = io.StringIO()
        call: dict[str, Any] = {
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
            "wsgi.errors": log,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if isinstance(content, bytes):
            call["CONTENT_LENGTH"] = str(len(content))
            call["wsgi.input"] = io.BytesIO(content)
        else:
            call["wsgi.input"] = content
            call["wsgi.input_terminated"] = True
        for name, value in (fields or {}).items():
            key = name.upper().replace("-", "_")
            call[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        call.update(self.environ)
        call.update(environ or {})
        head: list[Any] = []

        def start_response(status: str, answered: list[tuple[str, str]]) -> None:
            assert not head, "start_response was called twice"
            assert all(type(part) is str for pair in answered for part in pair)
            head[:] = [int(status[:3]), answered]

        body = self.application(call, start_response)
        try:
            data = b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        answer = Answer(head[0], head[1], data, log.getvalue())
        length = answer.field("content-length")
        assert length.isdigit() == (answer.status not in (204, 304))
        assert method == "HEAD" or len(data) == int(length or 0)
        return answer

    def get(self, target: str, **fields: str) -> Answer:
        """GET, with fields given as keywords."""
        return self.request("GET", target, {name.replace("_", "-"): value for name, value in fields.items()})

    def head(self, target: str, **fields: str) -> Answer:
        """HEAD, with fields given as keywords."""
        return self.request("HEAD", target, {name.replace("_", "-"): value for name, value in fields.items()})
