"""An upload session of a remote registry (distribution-spec, "Pushing a blob in chunks")."""

from __future__ import annotations

from udist_plugin.errors import BlobUnknown, BlobUploadUnknown, RangeInvalid
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.registry import Upload
from udist_plugin.remote.exchange import EMPTY, location_of, with_query
from udist_plugin.remote.repeating import Bookmark, is_passing, repeat, size_of
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.content import Readable
    from udist_plugin.errors import TransportError
    from udist_plugin.registry import Registry
    from udist_plugin.remote.exchange import Exchange
    from udist_plugin.remote.transport import Field, Response


class RemoteUpload(Upload):
    """A session at ``location``, which each answer may move."""

    def __init__(
        self, exchange: Exchange, registry: Registry, name: str, answer: Response, target: str
    ) -> None:
        self._exchange = exchange
        self._registry = registry
        self._name = name
        self._take(answer, target)
        self.id = answer.header("docker-upload-uuid") or self.location.partition("?")[0].rpartition("/")[2]

    def write(self, content: Readable) -> int:
        """As ``Upload.write``. A chunk that broke on its way goes on from where the registry says it
        stands, when ``content`` can be sought in."""
        bookmark, before = Bookmark(content), self.offset

        def again(error: TransportError) -> bool:
            if not is_passing(error):
                return False
            self.refresh()  # a PATCH is not idempotent: only the status tells how much of it arrived
            return bookmark.go_back(self.offset - before)

        return repeat(lambda: self._append(content), again)

    def commit(self, digest: str) -> Descriptor:
        digest = Digest(digest)
        target = with_query(self.location, f"digest={digest}")
        try:
            self._exchange.send("PUT", target, (201,), BlobUploadUnknown, headers=EMPTY).close()
        except BlobUploadUnknown as unknown:
            try:  # a repeated PUT whose first answer was lost finds the session gone and the blob there
                return self._registry.resolve_blob(self._name, digest)
            except BlobUnknown:
                raise unknown from None
        return Descriptor(OCTET_STREAM, digest, self.offset)

    def cancel(self) -> None:
        self._exchange.send("DELETE", self.location, (204, 202), BlobUploadUnknown).close()

    def refresh(self) -> None:
        """Asks the registry how far the session is. Raises ``BlobUploadUnknown``."""
        with self._exchange.send("GET", self.location, (204, 202), BlobUploadUnknown) as answer:
            self._take(answer, self.location)

    def _append(self, content: Readable) -> int:
        headers: list[Field] = [("content-type", OCTET_STREAM)]
        size = size_of(content)
        if size == 0:
            return self.offset
        if size is not None:
            headers.append(("content-length", str(size)))
            headers.append(("content-range", f"{self.offset}-{self.offset + size - 1}"))
        sent = self.offset + (size or 0)
        with self._exchange.send(
            "PATCH", self.location, (202,), BlobUploadUnknown, headers=headers, body=content
        ) as answer:
            self._take(answer, self.location)
        self.offset = self.offset or sent  # one byte's "0-0": see offset_of
        return self.offset

    def _take(self, answer: Response, target: str) -> None:
        self.location = location_of(answer, target)
        self.offset = offset_of(answer.header("range"))


def offset_of(value: str | None) -> int:
    """The offset in an upload's Range field: ``0-9`` is 10 bytes, none given is 0.

    ``0-0`` is what distribution says of an empty session as well as of one byte; it is taken as empty,
    and a chunk that would then start in the wrong place is refused by the registry.
    """
    import re

    if value is None or value == "0-0":
        return 0
    if not (match := re.fullmatch(r"(?:bytes=)?0-(\d{1,19})", value, re.ASCII)):
        raise RangeInvalid({"range": value[:64]}, "the registry's range of the upload is invalid")
    return int(match[1]) + 1
