"""One request to its answer: repeated where that is safe, and raised where the answer is an error."""

from __future__ import annotations

from udist_plugin.errors import RegistryError
from udist_plugin.remote.answers import error_of
from udist_plugin.remote.repeating import IDEMPOTENT, Bookmark, is_passing, repeat
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from udist_plugin.errors import TransportError
    from udist_plugin.remote.transport import Body, Field, Response, Transport

EMPTY: Final = [("content-length", "0")]
"""The fields of a POST or PUT without content (RFC 9110, 8.6)."""


class Exchange:
    """Requests on one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def send(
        self,
        method: str,
        target: str,
        expected: tuple[int, ...],
        unknown: type[RegistryError],
        *,
        headers: Sequence[Field] = (),
        body: Body | None = None,
        idempotent: bool | None = None,
    ) -> Response:
        """A response with one of the ``expected`` statuses, open.

        Any other status is raised as its error, a 404 that does not say more as ``unknown``. Raises
        ``TransportError`` when no attempt was answered. ``idempotent`` overrules what the method implies.
        """
        bookmark = Bookmark(body)
        if idempotent is None:
            idempotent = method in IDEMPOTENT
        repeated = False

        def again(error: TransportError) -> bool:
            nonlocal repeated
            repeated = is_passing(error) and (error.retryable or idempotent) and bookmark.go_back()
            return repeated

        response = repeat(lambda: self._transport.request(method, target, headers=headers, body=body), again)
        if response.status in expected:
            return response
        if repeated and method == "DELETE" and response.status == 404:
            return response  # the attempt whose answer was lost has deleted it
        raise error_of(response, unknown)


def in_repository(name: str, path: str) -> str:
    """The target of ``path`` within a repository."""
    from urllib.parse import quote

    return f"/v2/{quote(name)}/{path}"


def uploads_of(name: str) -> str:
    """Where a repository's uploads begin."""
    return in_repository(name, "blobs/uploads/")


def location_of(response: Response, target: str) -> str:
    """The response's Location in origin form, resolved against ``target`` (RFC 9110, 10.2.2)."""
    location = response.header("location")
    if not location:
        raise RegistryError({"target": target}, "the registry's response has no Location")
    return origin_form(location, target)


def origin_form(reference: str, target: str) -> str:
    """A URI reference found in the answer to ``target``, as a target of the same registry."""
    from urllib.parse import urljoin, urlsplit

    parts = urlsplit(urljoin(target, reference))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def with_parameters(target: str, parameters: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """``target`` with a query of ``parameters``, which are encoded; without any, ``target`` itself."""
    if not parameters:
        return target
    from urllib.parse import urlencode

    return with_query(target, urlencode(parameters))


def with_query(target: str, query: str) -> str:
    """``target`` with ``query`` added to what it has."""
    return f"{target}{'&' if '?' in target else '?'}{query}"
