"""From a path to a resource (distribution-spec, "Endpoints").

A repository's name may have components named like the endpoints, so a path is read from its end.
"""

from functools import lru_cache

from udist_plugin.http_api.errors import EndpointUnknown
from udist_plugin.oci.reference import check_name
from udist_plugin.typed import Final, NamedTuple

KEPT: Final = 1024
KEPT_LENGTH: Final = 512
"""Routes of so many paths are kept, of none longer than this: most requests ask for what others did."""


class Route(NamedTuple):
    """Which resource, of which repository, and what of it: a tag, a digest or an upload's id."""

    resource: str
    name: str = ""
    reference: str = ""


FIXED = {
    "/v2": Route("base"),
    "/v2/": Route("base"),
    "/v2/_catalog": Route("catalog"),
}
"""Paths without a repository."""

EXTENSION: Final = "v2/_udist/"
"""What stands, below the prefix, before the paths of our extension; no repository's name begins so."""

ENDPOINTS = {
    "blobs": ("", None, "blob"),
    "manifests": ("", None, "manifest"),
    "referrers": ("", None, "referrers"),
    "tags": ("", "list", "tags"),
    "uploads": ("/blobs", None, "upload"),
}
"""The last segment but one, and what it asks of the path: the end of what stands before it, its last
segment if only one is known, and the resource meant."""


def match(path: str, prefix: str = "/") -> Route:
    """The route of a decoded path below ``prefix``. Raises ``EndpointUnknown`` or ``NameInvalid``.

    As in distribution an escaped slash is one: Azure's client writes a repository's name so.
    """
    return _kept_match(path, prefix) if len(path) <= KEPT_LENGTH else _match(path, prefix)


def _match(path: str, prefix: str) -> Route:
    full, path = path, path[len(prefix) - 1 :] if path.startswith(prefix) else ""
    fixed = FIXED.get(path)
    if fixed is not None:
        return fixed
    rest, _, reference = path.rpartition("/")
    rest, _, endpoint = rest.rpartition("/")
    if not rest.startswith("/v2/") or endpoint not in ENDPOINTS:
        raise EndpointUnknown({"path": full[:512]})
    before, only, resource = ENDPOINTS[endpoint]
    if not rest.endswith(before) or reference != (only or reference):
        raise EndpointUnknown({"path": full[:512]})
    if resource == "blob" and reference == "uploads":  # the slash behind it is often forgotten
        resource, reference = "upload", ""
    if resource == "upload" and not reference:
        resource = "uploads"
    return Route(resource, check_name(rest[4 : len(rest) - len(before)]), reference)


_kept_match = lru_cache(KEPT)(_match)
