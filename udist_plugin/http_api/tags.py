"""``/v2/<name>/tags/list`` (distribution-spec, "Listing Tags")."""

from __future__ import annotations

from udist_plugin.http_api.pagination import next_link, page_size
from udist_plugin.http_api.resource import Resource
from udist_plugin.http_api.response import Response
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request


class Tags(Resource):
    """The tags of a repository."""

    def get(self, request: Request) -> Response:
        size = page_size(request, self.options.tags_max)  # without one, all are listed, as in distribution
        limit = None if size is None else max(size, 1)  # of no tags at all, whether there is a repository
        tags, last = self.registry.list_tags(request.name, limit, request.parameter("last") or "")
        if size == 0:
            tags, last = [], None
        fields = [] if last is None else [next_link(request.url("tags", "list"), n=size, last=last)]
        return Response.json(200, {"name": request.name, "tags": tags}, fields)
