"""``/v2/_catalog``: the repositories, as distribution lists them."""

from __future__ import annotations

from udist_plugin.http_api.pagination import next_link, page_size
from udist_plugin.http_api.resource import Resource
from udist_plugin.http_api.response import Response
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request

PAGE_SIZE = 100
"""Repositories a page, when none is asked for."""


class Catalog(Resource):
    """The repositories of a registry."""

    def get(self, request: Request) -> Response:
        most = self.options.catalog_max
        size = page_size(request, most)
        if size is None:
            size = min(PAGE_SIZE, most)
        if not size:
            return Response.json(200, {"repositories": []})
        names, last = self.registry.list_repositories(size, request.parameter("last") or "")
        fields = [] if last is None else [next_link(f"{request.base}/v2/_catalog", n=size, last=last)]
        return Response.json(200, {"repositories": names}, fields)
