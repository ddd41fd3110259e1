"""``/v2/<name>/blobs/<digest>`` (distribution-spec, "Pulling blobs" and "Deleting Blobs")."""

from __future__ import annotations

from udist_plugin.errors import RangeInvalid
from udist_plugin.http_api.conditionals import is_conditional, not_modified, range_applies
from udist_plugin.http_api.errors import error_response
from udist_plugin.http_api.ranges import parse_range, unsatisfied_range
from udist_plugin.http_api.resource import Resource
from udist_plugin.http_api.response import Response, digest_fields
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request

CACHE_CONTROL = ("Cache-Control", "max-age=31536000")
"""A blob never changes; distribution lets caches keep it for a year."""


class Blob(Resource):
    """One blob of a repository."""

    def get(self, request: Request) -> Response:
        digest = Digest(request.reference)
        if request.has_capability("redirect"):
            url = self.registry.locate_blob(request.name, digest)
            if url is not None:
                if not_modified(request, digest):
                    return _not_modified(digest)
                return Response(307, [("Location", url), *digest_fields(digest)])
        if request.field("range") is None and not is_conditional(request):
            content = self.registry.open_blob(request.name, digest)
            return Response(200, _fields(digest), content)
        size = self.registry.resolve_blob(request.name, digest).size
        if not_modified(request, digest):
            return _not_modified(digest)
        try:
            part = parse_range(request.field("range"), size) if range_applies(request, digest) else None
        except RangeInvalid as error:
            return error_response(error, [unsatisfied_range(size)])
        if part is None:
            return Response(200, _fields(digest), self.registry.open_blob(request.name, digest))
        content = self.registry.open_blob(request.name, digest, part.start, part.end)
        return Response(206, [*_fields(digest), part.content_range(size)], content)

    def head(self, request: Request) -> Response:
        digest = Digest(request.reference)
        size = self.registry.resolve_blob(request.name, digest).size
        if not_modified(request, digest):
            return _not_modified(digest)
        return Response(200, _fields(digest), length=size)

    def delete(self, request: Request) -> Response:
        self.registry.delete_blob(request.name, Digest(request.reference))
        return Response(202)


def _not_modified(digest: Digest) -> Response:
    """Only the fields that a cache needs (RFC 9110, section 15.4.5)."""
    return Response(304, [CACHE_CONTROL, *digest_fields(digest)])


def _fields(digest: Digest) -> list[tuple[str, str]]:
    return [
        ("Content-Type", OCTET_STREAM),
        ("Accept-Ranges", "bytes"),
        CACHE_CONTROL,
        *digest_fields(digest),
    ]
