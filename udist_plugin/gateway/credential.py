"""The gateway's own credential, without which nobody gets anything."""

from __future__ import annotations

import os

from udist_plugin.errors import Unauthorized
from udist_plugin.http_api.errors import error_response
from udist_plugin.http_api.response import API_VERSION
from udist_plugin.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

USER: Final = "udist"
CHALLENGE: Final = ("WWW-Authenticate", 'Basic realm="udist exec"')


class Credential(NamedTuple):
    """A user with a password."""

    user: str
    password: str

    @classmethod
    def random(cls) -> Credential:
        return cls(USER, os.urandom(24).hex())

    @property
    def basic(self) -> str:
        """Both in base64, as clients keep them and HTTP's Basic scheme sends them (RFC 7617)."""
        from binascii import b2a_base64

        return b2a_base64(f"{self.user}:{self.password}".encode(), newline=False).decode()


class Guarded:
    """``application`` for those who have the credential. Others get 401, and ``record`` is told."""

    def __init__(
        self, application: Application, credential: Credential, record: Callable[[str, str], object]
    ) -> None:
        self._application = application
        self._expected = credential.basic.encode()
        self._record = record

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._admits(environ.get("HTTP_AUTHORIZATION", "")):
            environ["REMOTE_USER"] = USER
            return self._application(environ, start_response)
        who = environ.get("REMOTE_ADDR") or "a local client"
        what = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']!r}"
        self._record("info", f"401 for {what} from {who}: not the credential of this gateway")
        return error_response(Unauthorized(), [API_VERSION, CHALLENGE]).send(environ, start_response)

    def _admits(self, field: str) -> bool:
        from hmac import compare_digest

        scheme, _, given = field.partition(" ")
        known = compare_digest(given.strip().encode("latin-1"), self._expected)
        return known and scheme.lower() == "basic"
