"""Mail about records of the log: distribution's ``log.hooks``."""

from __future__ import annotations

import os
import queue
import smtplib
import ssl
import threading
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from udist_plugin.config.model import Log

    Record = Callable[[str, str], object]
    WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

QUEUED: Final = 100
"""Messages that wait for mail servers at most."""
PATIENCE: Final = 10.0
"""Seconds for each wait for a mail server."""
SUBJECT: Final = 200
"""Characters of a subject."""
BODY: Final = 64 << 10
"""Characters of a record that are sent."""
TRACE: Final = "Traceback (most recent call last):"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1"})


LEVELS: Final = ("debug", "info", "warn", "error", "panic")


class Server(NamedTuple):
    """A mail server. Without a ``username`` nobody logs in. If ``insecure``, its certificate is not verified,
    and the password is sent without TLS, too."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    insecure: bool = False


class Hook(NamedTuple):
    """Records of these ``levels``, which are the log's and ``panic``, are sent by ``server``."""

    levels: Collection[str]
    server: Server
    sender: str
    recipients: Sequence[str]


def open_mailer(log: Log, drain: float) -> Mailer:
    """What ``log.hooks`` asks for, not yet started. As in distribution, a hook hears of no record that
    ``log.level`` leaves out."""
    heard = LEVELS[LEVELS.index(log.level) :]
    hooks = []
    for hook in log.hooks:
        smtp = hook.options["smtp"]
        host, _, port = smtp["addr"].rpartition(":")
        server = Server(host, int(port), smtp["username"], smtp["password"], smtp["insecure"])
        wanted = {"warn" if level == "warning" else level for level in hook.levels}
        hooks.append(Hook(wanted.intersection(heard), server, hook.options["from"], hook.options["to"]))
    return Mailer(hooks, log.fields, drain)


class Mailer:
    """Sends mail in a thread of its own; whoever records never waits for it.

    ``fields`` stand in every message. ``drain`` is for how many seconds ``close`` waits for what is queued.
    An exception that the registry did not expect is a ``panic``, as in distribution.
    """

    def __init__(self, hooks: Sequence[Hook], fields: Mapping[str, str], drain: float) -> None:
        self._hooks = hooks
        self._fields = fields
        self._drain = drain
        self._queue: queue.Queue[tuple[Hook, str, str] | None] = queue.Queue(QUEUED)
        self._record: Record = lambda _level, _message: None
        self._thread = threading.Thread(target=self._run, name="udist-mail", daemon=True)
        self._lost = 0

    def watch(self, record: Record) -> Record:
        """``record``, whose messages are sent as well."""
        self._record = record

        def watched(level: str, message: str) -> None:
            record(level, message)
            self.send(level, message)

        return watched

    def wrap(self, application: WSGI) -> WSGI:
        """``application``, whose ``wsgi.errors`` are sent as well."""

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            environ["wsgi.errors"] = _Errors(environ["wsgi.errors"], self)
            return application(environ, start_response)

        return answer

    def send(self, level: str, message: str) -> None:
        """Queues a message for each hook that wants it; what there is no room for is counted."""
        for hook in self._hooks:
            if level in hook.levels:
                try:
                    self._queue.put_nowait((hook, level, message[:BODY]))
                except queue.Full:
                    self._lost += 1

    def start(self, _: Record) -> None:
        self._thread.start()

    def close(self) -> None:
        """Sends what is queued, within ``drain`` seconds; the log says how much of it was not sent."""
        if not self._thread.is_alive():
            return
        try:
            self._queue.put(None, timeout=self._drain)
        except queue.Full:
            pass
        else:
            self._thread.join(self._drain)
        lost = self._lost + self._queue.qsize()
        if lost:
            self._record("warn", f"log.hooks: {lost} messages were not sent")
            self._lost = 0

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            hook, level, message = item
            try:
                deliver(hook, self._mail(hook, level, message))
            except (OSError, ValueError, smtplib.SMTPException) as error:
                where = f"{hook.server.host}:{hook.server.port}"
                self._record("warn", f"log.hooks: cannot send mail by {where}: {error}")

    def _mail(self, hook: Hook, level: str, message: str) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = (
            f"[{'warning' if level == 'warn' else level}] {hook.server.host}: {_summary(message)}"
        )
        mail["From"] = hook.sender
        mail["To"] = ", ".join(hook.recipients)
        mail["Date"] = formatdate()
        mail["Message-ID"] = make_msgid(domain=hook.sender.rpartition("@")[2])
        fields = "".join(f"{name}: {value}\n" for name, value in sorted(self._fields.items()))
        mail.set_content(f"{message.rstrip()}\n\n{fields}")
        return mail


def deliver(hook: Hook, mail: EmailMessage) -> None:
    """Hands ``mail`` to the hook's server, by TLS if the server offers it. Raises ``OSError`` and
    ``smtplib.SMTPException``, also where a password would be sent in the clear."""
    server = hook.server
    with smtplib.SMTP(server.host, server.port, os.uname().nodename, timeout=PATIENCE) as smtp:
        smtp.ehlo_or_helo_if_needed()
        encrypted = smtp.has_extn("starttls")
        if encrypted:
            smtp.starttls(context=_context(server))
        if server.username:
            if not (encrypted or server.insecure or server.host in LOOPBACK):
                raise smtplib.SMTPException("the server offers no TLS, and smtp.insecure is not true")
            smtp.login(server.username, server.password)
        if refused := smtp.send_message(mail, hook.sender, list(hook.recipients)):
            raise smtplib.SMTPRecipientsRefused(refused)


def _context(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _summary(message: str) -> str:
    """One line: the first, or of a stack trace the last, which names the exception."""
    lines = message.strip().splitlines() or [""]
    line = lines[-1 if TRACE in message else 0]
    return "".join(c if c.isprintable() else " " for c in line)[:SUBJECT]


class _Errors:
    """``wsgi.errors``: ``inner``, with what is written sent as well."""

    def __init__(self, inner: Any, mailer: Mailer) -> None:
        self._inner = inner
        self._mailer = mailer

    def write(self, text: str) -> int:
        written: int = self._inner.write(text)
        self._mailer.send("panic" if TRACE in text else "error", text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._inner.flush()
