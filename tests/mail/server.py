"""A mail server on loopback."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from email.message import EmailMessage

USER, PASSWORD = b"registry", b"a secret: 1e5"


class Mailbox:
    """Keeps what it receives, except for ``refused``, who is no user here."""

    def __init__(self, refused: str = "") -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.encrypted: list[bool] = []
        self.logins: list[bool] = []
        self.arrived = threading.Semaphore(0)
        self._refused = refused
        self.port = 0

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802
        if address == self._refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        self.encrypted.append(session.ssl is not None)
        self.logins.append(bool(session.authenticated))
        self.arrived.release()
        return "250 OK"


def _authenticate(_: Any, __: Any, ___: Any, ____: Any, given: Any) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (USER, PASSWORD), handled=False)


class _Controller(Controller):
    """At a port that the system chooses."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mailbox(
    context: ssl.SSLContext | None = None,
    *,
    login: bool = False,
    plain: bool = False,
    refused: str = "",
    host: str = "127.0.0.1",
) -> Iterator[Mailbox]:
    """A server with TLS of ``context``, if any. ``login`` is whether it wants one, ``plain`` whether it takes
    one without TLS."""
    box = Mailbox(refused)
    controller = _Controller(
        box,
        hostname=host,
        port=0,
        tls_context=context,
        authenticator=_authenticate,
        auth_required=login,
        auth_require_tls=not plain,
    )
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()
