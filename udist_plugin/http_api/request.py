"""A request, as the handlers see it."""

from __future__ import annotations

from functools import lru_cache

from udist_plugin.content import CHUNK_SIZE, lends
from udist_plugin.errors import SizeInvalid
from udist_plugin.exhaustion import exhausted
from udist_plugin.http_api.errors import LengthRequired
from udist_plugin.typed import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Collection

    from udist_plugin.content import Readable

QUERY_FIELDS_MAX = 256
"""The most parameters a query may have."""


class Request:
    """A view of a WSGI environ.

    ``name`` and ``reference`` are what the path said; ``base`` is what stands before ``/v2/`` in URLs.
    """

    __slots__ = ("_query", "base", "environ", "method", "name", "reference")

    def __init__(self, environ: dict[str, Any], base: str, name: str = "", reference: str = "") -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.base = base
        self.name = name
        self.reference = reference
        self._query: dict[str, list[str]] | None = None

    def field(self, name: str) -> str | None:
        """The value of a header field other than Content-Type and Content-Length."""
        return self.environ.get(_variable(name))

    def parameters(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return self._parsed.get(name, [])

    @property
    def parameter_names(self) -> Collection[str]:
        """The names of the query parameters."""
        return self._parsed.keys()

    @property
    def has_too_many_parameters(self) -> bool:
        """Whether the query has more than ``QUERY_FIELDS_MAX``; those are not read."""
        query: str = self.environ.get("QUERY_STRING", "")
        return query.count("&") >= QUERY_FIELDS_MAX

    @property
    def _parsed(self) -> dict[str, list[str]]:
        if self._query is None:
            self._query = _parse_query(self.environ.get("QUERY_STRING", ""))
        return self._query

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter; ``None`` when it is absent or empty."""
        values = self.parameters(name)
        return values[0] or None if values else None

    def url(self, *path: str) -> str:
        """The URL of something in this repository."""
        return "/".join((self.base, "v2", self.name, *path))

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters."""
        value: str = self.environ.get("CONTENT_TYPE") or ""
        return value.partition(";")[0].strip().lower()

    @property
    def content_length(self) -> int | None:
        """The Content-Length, ``None`` when the request names none. Raises ``SizeInvalid``."""
        value = self.environ.get("CONTENT_LENGTH")
        text = "" if value is None else str(value)  # some servers give a number
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise SizeInvalid({"Content-Length": text[:64]})
        return int(text)

    @property
    def content(self) -> Readable:
        """The request's content, up to its end.

        A source that lends its buffers knows its end. Any other is held to the Content-Length. Without one it
        is read to its end if the server says that it has one (``wsgi.input_terminated``); PEP 3333 does not
        promise that. Raises ``LengthRequired`` for chunked content that the server does not deliver.
        """
        source = self.environ.get("wsgi.input")
        if lends(source):
            return cast("Readable", source)
        length = self.content_length
        if length is None and not self.environ.get("wsgi.input_terminated"):
            if self.field("transfer-encoding") is not None:
                raise LengthRequired("this server does not support chunked requests; send a Content-Length")
            length = 0
        return _Input(source, length)

    def has_capability(self, name: str) -> bool:
        """Whether the caller announced a capability."""
        return name in self.environ.get("udist.capabilities", ())


@lru_cache(64)  # the fields that handlers ask for
def _variable(field: str) -> str:
    return "HTTP_" + field.upper().replace("-", "_")


class _Input:
    """The first ``length`` bytes of a server's ``wsgi.input``, or all where it has an end.

    Raises ``SizeInvalid`` if there are fewer or the server cannot read them, and ``TypeError`` for an input
    that is not what PEP 3333 asks for.
    """

    def __init__(self, source: Any, length: int | None) -> None:
        if length != 0 and not hasattr(source, "read"):
            raise TypeError(f"wsgi.input has no read (PEP 3333): it is {type(source).__name__}")
        self.content_length = length
        self._source = source
        self._left = length

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK_SIZE), b""))
        if self._left is not None:
            size = min(size, self._left)
        data = self._read(size) if size else b""
        if self._left is not None:
            if size and not data:
                raise SizeInvalid(f"the content is {self._left} bytes shorter than its Content-Length")
            self._left -= len(data)
        return data

    def _read(self, size: int) -> bytes:
        try:
            data = self._source.read(size)
        except OSError as error:
            if exhausted(error):
                raise
            raise SizeInvalid(f"the content could not be read to its end: {error}") from error
        if not isinstance(data, bytes | bytearray | memoryview) or len(data) > size:
            raise TypeError(f"wsgi.input did not give {size} bytes at most (PEP 3333): {type(data).__name__}")
        return bytes(data)


def _parse_query(text: str) -> dict[str, list[str]]:
    if not text:
        return {}
    from urllib.parse import parse_qsl

    query: dict[str, list[str]] = {}
    parts = "&".join(text.split("&", QUERY_FIELDS_MAX)[:QUERY_FIELDS_MAX])
    for name, value in parse_qsl(parts, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return query
