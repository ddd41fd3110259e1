"""Which manifests a client can read (RFC 9110, section 12.5.1), as far as distribution looks at it."""

from __future__ import annotations

from udist_plugin.errors import ManifestUnknown
from udist_plugin.oci.media_types import OCI_MANIFEST
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request

WILDCARDS = frozenset({"*/*", "application/*"})


def accepts(request: Request, media_type: str) -> bool:
    """Whether the Accept field has ``media_type``, whatever its weight; without one, all is accepted."""
    field = request.field("accept")
    if field is None:
        return True
    ranges = {item.partition(";")[0].strip().lower() for item in field.split(",")}
    return media_type in ranges or not ranges.isdisjoint(WILDCARDS)


def check_accepted(request: Request, media_type: str) -> None:
    """Raises ``ManifestUnknown`` for an OCI image manifest that the client says it cannot read.

    Everything else is served to every client, as distribution 3 does.
    """
    if media_type == OCI_MANIFEST and not accepts(request, media_type):
        raise ManifestUnknown(message="OCI manifest found, but accept header does not support OCI manifests")
