"""What a configuration may change about the HTTP API."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Options:
    """The ``http``, ``catalog`` and ``tags`` sections, as far as the API itself depends on them.

    ``host`` is the root of every URL handed out, such as ``https://registry.example/path``; without one
    they are path-absolute, which is also what ``http.relativeurls`` asks for. ``prefix`` is the path before
    ``/v2/``, with a slash at both ends. ``headers`` are added to every answer. ``catalog_max`` is the most
    repositories one catalog page lists, ``tags_max`` the most tags of a page that names a size.
    ``anonymous_mounts`` is whether a blob may be mounted from wherever it is, which no access control guards.
    """

    def __init__(
        self,
        host: str = "",
        prefix: str = "/",
        headers: Mapping[str, Sequence[str]] | None = None,
        *,
        catalog_max: int = 1000,
        tags_max: int = 1000,
        anonymous_mounts: bool = True,
    ) -> None:
        self.host = host
        self.prefix = prefix
        self.headers = headers or {}
        self.catalog_max = catalog_max
        self.tags_max = tags_max
        self.anonymous_mounts = anonymous_mounts
