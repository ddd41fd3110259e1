"""An answer, before it is WSGI's."""

from __future__ import annotations

from udist_plugin.content import Content
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from udist_plugin.oci.digest import Digest

API_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")

BLOCK_SIZE = 256 << 10
"""Bytes read at a time from content that stands in no file."""

REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    304: "Not Modified",
    307: "Temporary Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    507: "Insufficient Storage",
}
"""The status codes in use (RFC 9110, section 15; 507 is RFC 4918's)."""


class Response:
    """Status, fields and content.

    ``length`` is the Content-Length where it is not that of ``content``: an answer to HEAD tells the
    length of what GET would send. A field value that could break out of its line is a ``ValueError``.
    """

    __slots__ = ("content", "fields", "length", "status")

    def __init__(
        self,
        status: int,
        fields: Sequence[tuple[str, str]] = (),
        content: bytes | Content = b"",
        length: int | None = None,
    ) -> None:
        for name, value in fields:
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"{name}: {value!r} is not a field value")
        self.status = status
        self.fields = [(name, str(value)) for name, value in fields]  # PEP 3333: no subclasses of str
        self.content = content
        if length is None:
            length = content.size if isinstance(content, Content) else len(content)
        if status not in (204, 304):  # neither has content (RFC 9110, section 8.6)
            self.fields.append(("Content-Length", str(length)))

    @classmethod
    def json(
        cls,
        status: int,
        document: object,
        fields: Sequence[tuple[str, str]] = (),
        media_type: str = "application/json",
    ) -> Response:
        """``document`` as JSON."""
        import json

        content = json.dumps(document, separators=(",", ":"), default=str).encode()
        return cls(status, [("Content-Type", media_type), *fields], content)

    def send(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """An answer whose content is bytes, as WSGI's."""
        assert isinstance(self.content, bytes)
        start_response(f"{self.status} {REASONS[self.status]}", self.fields)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (self.content,)

    def discard(self) -> None:
        """Drops the content, for HEAD."""
        if isinstance(self.content, Content):
            self.content.close()
        self.content = b""


class Blocks:
    """WSGI's iterable over content that the server cannot take from a file."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        while block := self._content.read(BLOCK_SIZE):
            yield block

    def close(self) -> None:
        self._content.close()


class SplicedBlocks(Blocks):
    """The same of content that the kernel can move: our server then does not iterate."""

    def splice(self, pipe: int, size: int) -> int:
        """See ``Content``."""
        return self._content.splice(pipe, size)


def digest_fields(digest: Digest) -> list[tuple[str, str]]:
    """The fields that name content: its digest, and the same as a strong validator."""
    return [("Docker-Content-Digest", digest), ("ETag", f'"{digest}"')]
