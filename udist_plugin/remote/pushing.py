"""A blob pushed whole (distribution-spec, "Pushing a blob monolithically")."""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import BlobUploadUnknown, NameUnknown, UdistError
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.remote.exchange import EMPTY, location_of, uploads_of, with_query
from udist_plugin.remote.reading import check_digest
from udist_plugin.remote.repeating import Bookmark, is_passing, repeat, size_of
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.content import Readable
    from udist_plugin.oci.digest import Digest
    from udist_plugin.remote.exchange import Exchange
    from udist_plugin.remote.transport import Body, Field

SMALL: Final = 64 << 10
"""Bytes up to which content is sent with the first request. A registry that does not take it there gets it
twice, but only once: it is remembered."""


class Pushing:
    """Pushes blobs by ``exchange``."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._takes_single_posts = True  # until it has begun a session instead

    def push(self, name: str, digest: Digest, content: Readable) -> int | None:
        """Pushes all of ``content``, anew when the transport fails and ``content`` can be sought in.

        Returns its size where that is known.
        """
        bookmark = Bookmark(content)
        return repeat(
            lambda: self._push(name, digest, content),
            lambda error: is_passing(error) and bookmark.go_back(),
        )

    def _push(self, name: str, digest: Digest, content: Readable) -> int | None:
        size = size_of(content)
        body: Body = content
        if size is not None and size <= SMALL:
            body = content.read(size)
        headers: list[Field] = [("content-type", OCTET_STREAM)]
        if size is not None:
            headers.append(("content-length", str(len(body) if isinstance(body, bytes) else size)))
        location = self._begin(name, digest, body, headers)
        if location is not None:
            self._put(location, digest, body, headers)
        return size

    def _begin(self, name: str, digest: Digest, body: Body, headers: list[Field]) -> str | None:
        """Where to send the content, or ``None`` if the registry took it with this request."""
        target = uploads_of(name)
        if isinstance(body, bytes) and body and self._takes_single_posts:
            single = with_query(target, f"digest={digest}")
            with self._exchange.send(
                "POST", single, (201, 202), NameUnknown, headers=headers, body=body
            ) as answer:
                if answer.status == 201:
                    check_digest(answer.header("docker-content-digest"), digest)
                    return None
                self._takes_single_posts = False
                return location_of(answer, target)
        with self._exchange.send("POST", target, (202,), NameUnknown, headers=EMPTY) as answer:
            return location_of(answer, target)

    def _put(self, location: str, digest: Digest, body: Body, headers: list[Field]) -> None:
        target = with_query(location, f"digest={digest}")
        try:
            with self._exchange.send(
                "PUT", target, (201,), BlobUploadUnknown, headers=headers, body=body, idempotent=False
            ) as answer:
                check_digest(answer.header("docker-content-digest"), digest)
        except BaseException:
            with suppress(UdistError):  # what has arrived would take its room until the next purge
                self._exchange.send("DELETE", location, (204, 202), BlobUploadUnknown).close()
            raise
