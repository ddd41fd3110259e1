"""From what happens in a registry, and the requests that cause it, to events for all endpoints."""

from __future__ import annotations

import os
import threading
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from udist_plugin.notifications.events import Cause, Event, Format, Moment
from udist_plugin.wrappers.notifying import MANIFESTS, Occurrence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from udist_plugin.notifications.queue import Notifications

    Environ = dict[str, Any]
    WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Bridge:
    """Puts an event into the queues of ``notifications`` for each occurrence that it hears of.

    ``base`` is what stands before ``/v2/`` in URLs outside of a request; if ``relative``, it is a path in all
    of them. What is heard within a request waits for its status, and is told once: a registry is asked
    several times for some responses.
    """

    def __init__(self, notifications: Notifications, version: Format, base: str, *, relative: bool) -> None:
        self.notifications = notifications
        self._version = version
        self._base = base
        self._relative = relative
        self._source = {"addr": os.uname().nodename, "instanceID": Moment.now().id}
        self._thread = threading.local()

    def hear(self, occurrence: Occurrence) -> None:
        """What a ``NotifyingRegistry`` tells."""
        heard: list[Occurrence] | None = getattr(self._thread, "heard", None)
        if heard is None:
            self._publish([occurrence], Cause(Moment.now(), self._base, self._source))
        elif occurrence not in heard:
            heard.append(occurrence)

    def wrap(self, application: WSGI, base: Callable[[Environ], str]) -> WSGI:
        """``application``, whose requests are told with what they cause. ``base`` says what stands before
        ``/v2/`` in the URLs of a request's response."""

        def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            status = ""

            def started(line: str, fields: list[tuple[str, str]], *exc_info: Any) -> Any:
                nonlocal status
                status = line[:3]
                return start_response(line, fields, *exc_info)

            heard: list[Occurrence] = []
            self._thread.heard = heard
            try:
                return application(environ, started)
            finally:
                self._thread.heard = None
                if status == "304":  # as in distribution, that is a pull of a blob, but not of a manifest
                    heard = [each for each in heard if each.kind != MANIFESTS]
                if heard:
                    self._publish(heard, self._cause(environ, base(environ)))

        return answer

    def _absolute(self, base: str, environ: Environ) -> str:
        """``base`` with the scheme and the host that the caller used, or its proxy says that it used."""
        host = environ.get("HTTP_X_FORWARDED_HOST", "").partition(",")[0].strip() or environ.get("HTTP_HOST")
        if self._relative or not host or (base and not base.startswith("/")):
            return base
        scheme = environ.get("HTTP_X_FORWARDED_PROTO") or environ.get("wsgi.url_scheme") or "http"
        return f"{scheme}://{host}{base}"

    def _cause(self, environ: Environ, base: str) -> Cause:
        return Cause(
            Moment.now(),
            self._absolute(base, environ),
            self._source,
            environ["REQUEST_METHOD"],
            _address(environ),
            environ.get("HTTP_HOST", ""),
            _text(environ.get("HTTP_USER_AGENT") or ""),
            _text(environ.get("REMOTE_USER") or ""),
        )

    def _publish(self, occurrences: Sequence[Occurrence], cause: Cause) -> None:
        for number, occurrence in enumerate(occurrences, 1):
            event = Event(occurrence, cause, number, self._version)
            for queue in self.notifications.queues:
                if queue.wants(occurrence):
                    queue.put(event)


def _text(native: str) -> str:
    """A value of ``environ``, which has the bytes of UTF-8 as characters (PEP 3333), or else is taken as it
    is."""
    try:
        return native.encode("latin-1").decode()
    except UnicodeError:
        return native


def _address(environ: Environ) -> str:
    """Where the request is from: the client that a proxy names, or else the connection's other end."""
    for field in ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP"):
        stated: str = environ.get(field, "").partition(",")[0].strip()
        if stated and _is_address(stated):
            return stated
    host, port = str(environ.get("REMOTE_ADDR", "")), environ.get("REMOTE_PORT", "")
    if not host or not port:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
