"""distribution's ``silly``: whoever sends an Authorization field may do everything. For tests."""

from __future__ import annotations

from udist_plugin.http_api.middleware.access.controller import Challenge, parameters
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from udist_plugin.http_api.middleware.access.needs import Need


class Silly:
    """Everyone is the user ``silly``."""

    def __init__(self, realm: str, service: str) -> None:
        self._known = {"realm": realm, "service": service}

    def authorize(self, environ: dict[str, Any], wanted: list[Need]) -> str:
        if not environ.get("HTTP_AUTHORIZATION"):
            raise self.challenge(environ, wanted)
        return "silly"

    def challenge(self, environ: dict[str, Any], wanted: list[Need]) -> Challenge:  # noqa: ARG002
        scopes = " ".join(":".join(need) for need in wanted)
        return Challenge(parameters("Bearer", **self._known, **({"scope": scopes} if scopes else {})))
