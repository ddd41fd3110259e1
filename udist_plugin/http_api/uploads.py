"""``/v2/<name>/blobs/uploads/`` and its sessions (distribution-spec, "Pushing blobs").

All state of a session is in the store: its URL names it, and any plugin on the same store may go on with it.
"""

from __future__ import annotations

import re
from contextlib import suppress

from udist_plugin.errors import (
    BlobUploadUnknown,
    DigestInvalid,
    RangeInvalid,
    RegistryError,
    SizeInvalid,
    StorageError,
)
from udist_plugin.http_api.errors import error_response
from udist_plugin.http_api.ranges import parse_chunk_range
from udist_plugin.http_api.resource import Resource
from udist_plugin.http_api.response import Response
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import check_name
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin import registry
    from udist_plugin.http_api.request import Request

_ID = r"[A-Za-z0-9_=-][A-Za-z0-9_.=-]{0,127}"


class Uploads(Resource):
    """Where pushes of blobs begin."""

    def post(self, request: Request) -> Response:
        """Mounts the blob ``mount``, else stores the content as blob ``digest``, else begins a session."""
        if (mounted := self._mount(request)) is not None:
            return _created(request, mounted)
        digest = request.parameter("digest")
        if digest is not None and _has_content(request, Digest(digest)):
            pushed = self.registry.push_blob(request.name, Digest(digest), request.content)
            return _created(request, pushed.digest)
        upload = self.registry.start_upload(request.name, request.parameter("digest-algorithm") or "sha256")
        try:
            return Response(202, _session(request, upload))
        finally:
            upload.close()

    def _mount(self, request: Request) -> Digest | None:
        """The digest of the blob that was mounted.

        ``None`` if there is nothing to mount, or it cannot be mounted for whatever reason: then the client
        pushes it (distribution-spec, "Mounting a blob from another repository").
        """
        text, source = request.parameter("mount"), request.parameter("from")
        if text is None or not (source or self.options.anonymous_mounts):
            return None
        try:
            digest = Digest(text)
            return self.registry.mount_blob(
                request.name, digest, check_name(source) if source else None
            ).digest
        except (RegistryError, StorageError):
            return None


class Upload(Resource):
    """One session."""

    def get(self, request: Request) -> Response:
        upload = self._resume(request)
        try:
            return Response(204, _session(request, upload))
        finally:
            upload.close()

    def patch(self, request: Request) -> Response:
        upload = self._resume(request)
        try:
            refused = _check_chunk(request, upload)
            if refused is not None:
                return refused
            upload.write(request.content)
            return Response(202, _session(request, upload))
        finally:
            upload.close()

    def put(self, request: Request) -> Response:
        digest = request.parameter("digest")
        if digest is None:
            raise DigestInvalid("digest missing")
        expected = Digest(digest)
        upload = self._resume(request)
        try:
            refused = _check_chunk(request, upload)
            if refused is not None:
                return refused
            if upload.offset or request.content_length == 0:
                upload.write(request.content)
                return _created(request, upload.commit(expected).digest)
            return _created(request, self._push(request, upload, expected))
        finally:
            upload.close()

    def _push(self, request: Request, upload: registry.Upload, digest: Digest) -> Digest:
        """All of the blob at once, whose digest is known: it goes straight to its place, and the session with
        nothing in it is over, as it is where the digest is wrong."""
        try:
            pushed = self.registry.push_blob(request.name, digest, request.content)
        except DigestInvalid:
            upload.cancel()
            raise
        with suppress(BlobUploadUnknown):  # purged meanwhile
            upload.cancel()
        return pushed.digest

    def delete(self, request: Request) -> Response:
        upload = self._resume(request)
        try:
            upload.cancel()
        finally:
            upload.close()
        return Response(204)

    def _resume(self, request: Request) -> registry.Upload:
        if not re.fullmatch(_ID, request.reference):
            raise BlobUploadUnknown({"id": request.reference[:128]})
        return self.registry.resume_upload(request.name, request.reference)


def _has_content(request: Request, digest: Digest) -> bool:
    """Whether a POST with a digest carries the blob: without content only the empty blob is meant."""
    return request.content_length != 0 or digest == Digest.of(b"", digest.algorithm)


def _check_chunk(request: Request, upload: registry.Upload) -> Response | None:
    """The answer to a chunk that is not the next one: 416, with the state of the session to go on from.

    Raises ``SizeInvalid`` when Content-Range and Content-Length disagree.
    """
    field = request.field("content-range")
    if field is None:
        return None
    try:
        chunk = parse_chunk_range(field)
        if chunk.start != upload.offset:
            raise RangeInvalid({"start": chunk.start, "expected": upload.offset})
    except RangeInvalid as error:
        return error_response(error, _session(request, upload))
    length = request.content_length
    if length is not None and length != chunk.end - chunk.start:
        raise SizeInvalid({"Content-Range": field, "Content-Length": length})
    return None


def _session(request: Request, upload: registry.Upload) -> list[tuple[str, str]]:
    """Where a session is and what it has; of no bytes Range can only say ``0-0``, as distribution does."""
    return [
        ("Location", request.url("blobs", "uploads", upload.id)),
        ("Range", f"0-{max(upload.offset - 1, 0)}"),
        ("Docker-Upload-UUID", upload.id),
    ]


def _created(request: Request, digest: Digest) -> Response:
    return Response(201, [("Location", request.url("blobs", digest)), ("Docker-Content-Digest", digest)])
