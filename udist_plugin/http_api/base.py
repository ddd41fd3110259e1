"""``/v2/``: whether this is a registry (distribution-spec, "Determining Support")."""

from __future__ import annotations

from udist_plugin.http_api.resource import Resource
from udist_plugin.http_api.response import Response
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request


class Base(Resource):
    """Yes, it is."""

    def get(self, request: Request) -> Response:  # noqa: ARG002
        return Response(200, [("Content-Type", "application/json")], b"{}")
