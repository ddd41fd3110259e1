"""``/v2/<name>/referrers/<digest>`` (distribution-spec, "Listing Referrers")."""

from __future__ import annotations

from udist_plugin.http_api.pagination import next_link
from udist_plugin.http_api.resource import Resource
from udist_plugin.http_api.response import Response
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_INDEX
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request


class Referrers(Resource):
    """The manifests whose subject is a digest, as an index; an empty one when there are none."""

    def get(self, request: Request) -> Response:
        digest = Digest(request.reference)
        kind = request.parameter("artifactType")
        found, last = self.registry.list_referrers(
            request.name, digest, kind, request.parameter("last") or ""
        )
        fields = [] if kind is None else [("OCI-Filters-Applied", "artifactType")]
        if last is not None:
            fields.append(next_link(request.url("referrers", digest), artifactType=kind, last=last))
        index = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [descriptor.to_json() for descriptor in found],
        }
        return Response.json(200, index, fields, media_type=OCI_INDEX)
