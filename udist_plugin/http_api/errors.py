"""Errors as answers (distribution-spec, "Error Codes"; the statuses are distribution's)."""

from __future__ import annotations

from udist_plugin.errors import (
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    ManifestTooLarge,
    ManifestUnknown,
    NameUnknown,
    PathBusy,
    RangeInvalid,
    RegistryError,
    SizeInvalid,
    StorageError,
    StorageFull,
    StorageUnavailable,
    TagInvalid,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unsupported,
    UpstreamFailed,
    UpstreamTimeout,
)
from udist_plugin.exhaustion import exhausted
from udist_plugin.http_api.response import Response
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


OVERLOADED = 5
"""Seconds after which what is overloaded may be asked again: a store that was asked several times already, or
this process."""


class EndpointUnknown(Unsupported):
    """There is nothing at this path."""


class ExtensionInvalid(Unsupported):
    """A request to the extension says something that it does not take."""

    message = "invalid request"


class LengthRequired(SizeInvalid):
    """The server in front delivers no content without a Content-Length (RFC 9110, section 15.5.12)."""

    message = "length required"


class PreconditionFailed(DigestInvalid):
    """If-Match named another digest (RFC 9110, section 13.1.1)."""

    message = "precondition failed"


class NoRoom(Unavailable):
    """As many large manifests are being taken in as there is memory for."""

    retry_after = OVERLOADED


class TooManyTags(TagInvalid):
    """More ``tag`` parameters than one push may have."""

    message = "too many tags"


STATUS: dict[type[Exception], int] = {
    BlobUnknown: 404,
    BlobUploadInvalid: 404,
    BlobUploadUnknown: 404,
    Denied: 403,
    EndpointUnknown: 404,
    ExtensionInvalid: 400,
    LengthRequired: 411,
    ManifestTooLarge: 413,
    ManifestUnknown: 404,
    NameUnknown: 404,
    PreconditionFailed: 412,
    RangeInvalid: 416,
    TooManyRequests: 429,
    TooManyTags: 414,
    Unauthorized: 401,
    Unavailable: 503,
    Unsupported: 405,
    UpstreamFailed: 502,
    UpstreamTimeout: 504,
}
"""The status of each error that is not 400."""

RETRY_AFTER = ("Retry-After", str(OVERLOADED))

EXHAUSTED = b'{"errors": [{"code": "UNAVAILABLE", "message": "service unavailable"}]}'
"""The body when this process has no more descriptors or threads: to make it takes none, not for an import."""


def error_response(error: Exception, fields: Sequence[tuple[str, str]] = ()) -> Response:
    """The answer that tells ``error``: for what is no ``RegistryError``, only that it happened."""
    if isinstance(error, RegistryError):
        status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)
        errors = [_entry(each.code, each.message, each.detail) for each in (error, *error.also)]
        if error.retry_after is not None:
            fields = [*fields, ("Retry-After", str(error.retry_after))]
    elif isinstance(error, StorageUnavailable | PathBusy):
        status, errors = 503, [_entry(Unavailable.code, Unavailable.message, str(error))]
        fields = [*fields, RETRY_AFTER]
    elif isinstance(error, StorageFull):
        status, errors = 507, [_entry("UNKNOWN", "the store is full", str(error))]
    elif exhausted(error):
        return Response(503, [*fields, RETRY_AFTER, ("Content-Type", "application/json")], EXHAUSTED)
    elif isinstance(error, StorageError):
        status, errors = 500, [_entry("UNKNOWN", "unknown error", str(error))]
    else:
        status, errors = 500, [_entry("UNKNOWN", "unknown error", None)]
    return Response.json(status, {"errors": errors}, fields)


def _entry(code: str, message: str, detail: object) -> dict[str, Any]:
    entry: dict[str, Any] = {"code": code, "message": message}
    if detail is not None:
        entry["detail"] = detail
    return entry
