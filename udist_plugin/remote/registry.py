"""A registry somewhere else: the interface's verbs as requests of the distribution-spec."""

from __future__ import annotations

from udist_plugin.errors import BlobUnknown, BlobUploadUnknown, ManifestUnknown, NameUnknown
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX, Manifest
from udist_plugin.oci.media_types import MANIFESTS, OCI_INDEX, OCTET_STREAM
from udist_plugin.registry import ManifestContent, Page, Registry
from udist_plugin.remote.exchange import EMPTY, Exchange, in_repository, uploads_of, with_parameters
from udist_plugin.remote.pages import pages, read_all
from udist_plugin.remote.pushing import Pushing
from udist_plugin.remote.reading import RemoteContent, check_digest, content_length
from udist_plugin.remote.transport import can_cancel
from udist_plugin.remote.upload import RemoteUpload
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.content import Content, Readable
    from udist_plugin.remote.transport import Field, Response, Transport

_ACCEPT = [("accept", ", ".join(sorted(MANIFESTS)))]
_DELETED = (202, 200, 204)


class RemoteRegistry(Registry):
    """Every verb over ``transport``, which stays the caller's to close.

    Content is streamed, and checked against its digest and size while it is read. A digest may be plain text;
    one that is malformed raises ``DigestInvalid``. Raises the registry's
    errors as their classes, and ``TransportError``.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._exchange = Exchange(transport)
        self._pushing = Pushing(self._exchange)

    def cancel(self) -> None:
        """Ends what other threads have under way, where the transport can: they get ``Cancelled``."""
        if can_cancel(self._transport):
            self._transport.cancel()

    def check_access(self) -> None:
        """Asks whether the registry speaks the distribution-spec, and lets its user in ("Determining
        Support"). Raises ``Unauthorized``."""
        self._exchange.send("GET", "/v2/", (200,), NameUnknown).close()

    def resolve_blob(self, name: str, digest: str) -> Descriptor:
        digest = Digest(digest)
        with self._exchange.send("HEAD", _blob(name, digest), (200,), BlobUnknown) as answer:
            return Descriptor(OCTET_STREAM, digest, content_length(answer))

    def has_blob(self, name: str, digest: str) -> bool:
        return super().has_blob(name, Digest(digest))

    def open_blob(self, name: str, digest: str, start: int = 0, end: int | None = None) -> Content:
        digest = Digest(digest)
        headers: list[Field] = []
        if start or end is not None:
            # a Range cannot say "nothing": for that one byte is asked for and none is read
            last = "" if end is None else max(end - 1, start)
            headers = [("range", f"bytes={start}-{last}")]
        answer = self._exchange.send("GET", _blob(name, digest), (200, 206), BlobUnknown, headers=headers)

        def reopen(position: int) -> tuple[Response, int]:
            return self._open_from(name, digest, start + position)

        try:
            length = content_length(answer)
            if answer.status == 200 and headers:  # RFC 9110, 14.2: a server may ignore Range
                size = max(min(length, end or length) - start, 0)
                return RemoteContent(answer, size, skip=start, reopen=reopen)
            if end is not None:
                length = max(min(length, end - start), 0)
            return RemoteContent(answer, length, None if headers else digest, reopen=reopen)
        except BaseException:
            answer.close()
            raise

    def _open_from(self, name: str, digest: Digest, position: int) -> tuple[Response, int]:
        """A blob again, from where it broke, and how many bytes to leave out: a server may ignore Range."""
        headers = [("range", f"bytes={position}-")]
        answer = self._exchange.send("GET", _blob(name, digest), (200, 206), BlobUnknown, headers=headers)
        return answer, position if answer.status == 200 else 0

    def mount_blob(self, name: str, digest: str, source: str | None) -> Descriptor:
        digest = Digest(digest)
        query = {"mount": digest, "from": source} if source else {"mount": digest}
        target = with_parameters(uploads_of(name), query)
        with self._exchange.send("POST", target, (201, 202), BlobUnknown, headers=EMPTY) as answer:
            if answer.status == 201:
                return self.resolve_blob(name, digest)
            RemoteUpload(self._exchange, self, name, answer, target).cancel()
        raise BlobUnknown({"digest": digest, "from": source})

    def push_blob(self, name: str, digest: str, content: Readable) -> Descriptor:
        """As ``Registry.push_blob``; begun anew when it breaks and ``content`` can be sought in."""
        digest = Digest(digest)
        size = self._pushing.push(name, digest, content)
        return Descriptor(OCTET_STREAM, digest, size) if size is not None else self.resolve_blob(name, digest)

    def delete_blob(self, name: str, digest: str) -> None:
        self._exchange.send("DELETE", _blob(name, Digest(digest)), _DELETED, BlobUnknown).close()

    def start_upload(self, name: str, algorithm: str = "sha256") -> RemoteUpload:
        query = {} if algorithm == "sha256" else {"digest-algorithm": algorithm}
        target = with_parameters(uploads_of(name), query)
        with self._exchange.send("POST", target, (202,), NameUnknown, headers=EMPTY) as answer:
            return RemoteUpload(self._exchange, self, name, answer, target)

    def resume_upload(self, name: str, upload_id: str) -> RemoteUpload:
        from urllib.parse import quote

        target = uploads_of(name) + quote(upload_id, safe="")
        with self._exchange.send("GET", target, (204, 202), BlobUploadUnknown) as answer:
            return RemoteUpload(self._exchange, self, name, answer, target)

    def resolve_manifest(self, name: str, target: str) -> Descriptor:
        target = Digest.or_tag(target)
        with self._exchange.send(
            "HEAD", _manifest(name, target), (200,), ManifestUnknown, headers=_ACCEPT
        ) as answer:
            stated = answer.header("docker-content-digest")
            digest = Digest(stated) if stated else target
            if isinstance(digest, Digest):
                if isinstance(target, Digest):
                    check_digest(digest, target)
                return Descriptor(answer.header("content-type") or "", digest, content_length(answer))
        manifest = self.get_manifest(name, target)  # the specification does not promise the header
        return Descriptor(manifest.media_type, manifest.digest, len(manifest.content))

    def get_manifest(self, name: str, target: str) -> ManifestContent:
        target = Digest.or_tag(target)
        with self._exchange.send(
            "GET", _manifest(name, target), (200,), ManifestUnknown, headers=_ACCEPT
        ) as answer:
            content = read_all(answer, MANIFEST_MAX)
            stated = target if isinstance(target, Digest) else answer.header("docker-content-digest")
            if stated is None:
                digest = Digest.of(content)
            else:
                digest = Digest(stated)
                check_digest(Digest.of(content, digest.algorithm), digest)
            return ManifestContent(content, answer.header("content-type") or "", digest)

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        """As ``Registry.push_manifest``: one request where the registry takes tags with a push by digest,
        and says so (OCI-Tag), else one more for each tag."""
        target = with_parameters(_manifest(name, manifest.digest), [("tag", tag) for tag in tags])
        answer = self._put_manifest(target, manifest)
        tagged = {
            tag.strip() for key, value in answer.headers if key == "oci-tag" for tag in value.split(",")
        }
        for tag in tags:
            if tag not in tagged:
                self._put_manifest(_manifest(name, tag), manifest)
        return Descriptor(manifest.media_type, manifest.digest, len(manifest.content))

    def _put_manifest(self, target: str, manifest: Manifest) -> Response:
        content = manifest.content
        headers = [("content-type", manifest.media_type), ("content-length", str(len(content)))]
        with self._exchange.send("PUT", target, (201,), NameUnknown, headers=headers, body=content) as answer:
            check_digest(answer.header("docker-content-digest"), manifest.digest)
        return answer

    def delete_manifest(self, name: str, digest: str) -> Sequence[str]:
        self._exchange.send("DELETE", _manifest(name, Digest(digest)), _DELETED, ManifestUnknown).close()
        return ()

    def delete_tag(self, name: str, tag: str) -> None:
        self._exchange.send("DELETE", _manifest(name, tag), _DELETED, ManifestUnknown).close()

    def list_repositories(self, limit: int | None = None, last: str = "") -> Page[str]:
        return self._list("/v2/_catalog", "repositories", limit, last)

    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        return self._list(in_repository(name, "tags/list"), "tags", limit, last)

    def _list(self, target: str, key: str, limit: int | None, last: str) -> Page[str]:
        """With a limit one page, which may be shorter; without, all of them.

        docker-registry 2.8 gives every tag, in no order, whatever it is asked.
        """
        query = ({} if limit is None else {"n": str(limit)}) | ({"last": last} if last else {})
        items: list[str] = []
        for page in pages(self._exchange, with_parameters(target, query), NameUnknown):
            items += sorted(item for item in page.strings(key) if item > last)
            if limit is not None:
                rest = items[limit:]
                return Page(items[:limit], items[limit - 1] if rest and limit else page.last)
        return Page(items)

    def list_referrers(
        self, name: str, digest: str, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        """As ``Registry.list_referrers``: all in one page, filtered here where the registry did not."""
        query = ({"artifactType": artifact_type} if artifact_type else {}) | ({"last": last} if last else {})
        target = with_parameters(in_repository(name, f"referrers/{Digest(digest)}"), query)
        found: list[Descriptor] = []
        for page in pages(self._exchange, target, NameUnknown):
            found += Manifest.parse(page.content, OCI_INDEX).manifests
        return Page([item for item in found if artifact_type in (None, item.artifact_type)])


def _blob(name: str, digest: Digest) -> str:
    return in_repository(name, f"blobs/{digest}")


def _manifest(name: str, target: Digest | str) -> str:
    from urllib.parse import quote

    return in_repository(name, f"manifests/{quote(target, safe=':')}")
