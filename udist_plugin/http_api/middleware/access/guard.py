"""The middleware: no request reaches the application that access control does not allow."""

from __future__ import annotations

from udist_plugin.errors import RegistryError, Unauthorized
from udist_plugin.http_api.errors import error_response
from udist_plugin.http_api.middleware.access.controller import Challenge
from udist_plugin.http_api.middleware.access.needs import needs
from udist_plugin.http_api.request import Request
from udist_plugin.http_api.response import API_VERSION
from udist_plugin.http_api.routes import EXTENSION, Route, match
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from udist_plugin.http_api.middleware.access.controller import Controller
    from udist_plugin.http_api.middleware.access.needs import Need
    from udist_plugin.http_api.middleware.access.policies import Policies
    from udist_plugin.http_api.response import Response

    Environ = dict[str, Any]
    StartResponse = Callable[..., Any]
    Application = Callable[[Environ, StartResponse], Iterable[bytes]]


LONGEST_SOURCE = 256
"""Characters that a challenge repeats of the repository that a blob is mounted from: no name has as many."""


class Guard:
    """``application`` for those whom ``controller`` knows, and who may do what they ask for: by what it says,
    and by ``policies`` where there are any. ``REMOTE_USER`` then is who asks.

    A path that is no endpoint's goes through: there is nothing behind it. ``headers`` are added to refusals.
    """

    def __init__(
        self,
        application: Application,
        controller: Controller,
        policies: Policies | None,
        prefix: str,
        headers: Mapping[str, Sequence[str]],
    ) -> None:
        self._application = application
        self._controller = controller
        self._policies = policies
        self._prefix = prefix
        self._fields = [API_VERSION, *((name, value) for name in headers for value in headers[name])]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        try:
            route = match(path, self._prefix)
        except RegistryError:
            if not path.startswith(self._prefix + EXTENSION):
                return self._application(environ, start_response)
            route = Route("extension")
        request = Request(environ, "", route.name, route.reference)
        source = request.parameter("from")
        wanted = needs(route, request.method, source and source[:LONGEST_SOURCE])
        if self._policies and self._policies.admits_anyone(request, route):
            if route.resource == "base":  # where clients look for the way to log in
                start_response = _challenging(start_response, self._controller.challenge(environ, wanted))
            return self._application(environ, start_response)
        try:
            user = self._user(request, route, wanted)
        except RegistryError as error:
            return error_response(error, self._fields).send(environ, start_response)
        except Challenge as challenge:
            return self._refusal(challenge, wanted).send(environ, start_response)
        environ["REMOTE_USER"] = user.encode(errors="replace").decode("latin-1")  # as WSGI has text
        return self._application(environ, start_response)

    def _user(self, request: Request, route: Route, wanted: list[Need]) -> str:
        """Raises ``Challenge``, and ``RegistryError``."""
        user = self._controller.authorize(request.environ, wanted)
        if self._policies:
            self._policies.check(request, route, user)
        return user

    def _refusal(self, challenge: Challenge, wanted: list[Need]) -> Response:
        error = Unauthorized([need.detail() for need in wanted] or None)
        return error_response(error, [("WWW-Authenticate", challenge.value), *self._fields])


def _challenging(start_response: StartResponse, challenge: Challenge) -> StartResponse:
    def started(status: str, fields: list[tuple[str, str]], *exc_info: Any) -> Any:
        return start_response(status, [*fields, ("WWW-Authenticate", challenge.value)], *exc_info)

    return started
