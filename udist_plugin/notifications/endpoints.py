"""What can take events: a server, a file, a command, a function of Python."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.errors import TransportError
from udist_plugin.notifications.queue import NotDelivered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from subprocess import Popen

    from udist_plugin.notifications.queue import Endpoint
    from udist_plugin.remote.network.network import Network
    from udist_plugin.remote.network.redirects import FollowingTransport

FILE: Final = "file:"
EXEC: Final = "exec:"


def endpoint(
    url: str,
    media_type: str,
    headers: Mapping[str, Sequence[str]],
    timeout: float,
    environ: Mapping[str, str],
) -> Endpoint:
    """The endpoint of a configured ``url``. ``timeout`` is in seconds; ``environ`` names proxies."""
    if url.startswith(FILE):
        return FileEndpoint("/" + url.removeprefix(FILE).lstrip("/"))
    if url.startswith(EXEC):
        return ExecEndpoint(url.removeprefix(EXEC), timeout)
    fields = [("content-type", media_type)]
    fields += [(name.lower(), value) for name, values in headers.items() for value in values]
    return HttpEndpoint(url, fields, timeout, environ)


class HttpEndpoint:
    """POSTs envelopes to ``url``. Only a status of 2xx counts as delivered; 307 and 308 repeat the POST
    elsewhere. Each wait for the server lasts ``timeout`` seconds at most."""

    def __init__(
        self, url: str, fields: Sequence[tuple[str, str]], timeout: float, environ: Mapping[str, str]
    ) -> None:
        self._url = url
        self._fields = fields
        self._timeout = timeout
        self._environ = environ
        self._network: Network | None = None
        self._transport: FollowingTransport | None = None
        self._target = ""

    def deliver(self, body: bytes) -> int:
        try:
            transport = self._transport or self._connect()
            with transport.request("POST", self._target, headers=self._fields, body=body) as response:
                status = response.status
        except (TransportError, OSError, ValueError) as error:  # of certificates; of where redirects lead
            raise NotDelivered(str(error)) from None
        if 200 <= status < 300:
            return status
        raise NotDelivered(f"answered with status {status}", status)

    def close(self) -> None:
        if self._network is not None:
            self._network.cancel()
            self._network.close()

    def _connect(self) -> FollowingTransport:
        from urllib.parse import urlsplit

        from udist_plugin.remote.network.network import Network
        from udist_plugin.remote.network.origin import Origin
        from udist_plugin.remote.network.redirects import FollowingTransport

        parts = urlsplit(self._url)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if parts.username is not None:
            self._fields = [*self._fields, _login(parts.username, parts.password or "")]
        self._network = Network(self._environ, timeout=self._timeout)
        self._transport = FollowingTransport(
            self._network.transport(Origin.of(self._url)), self._network, repeats=True
        )
        return self._transport


def _login(user: str, password: str) -> tuple[str, str]:
    """The field of a URL's login (RFC 7617)."""
    from base64 import b64encode
    from urllib.parse import unquote

    login = f"{unquote(user)}:{unquote(password)}".encode()
    return "authorization", f"Basic {b64encode(login).decode()}"


class FileEndpoint:
    """Appends envelopes to the file at ``path``, a line each."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._start = b""

    def deliver(self, body: bytes) -> int:
        line = self._start + body + b"\n"
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o666)
            try:
                written = os.write(file, line)
            finally:
                os.close(file)
        except OSError as error:
            raise NotDelivered(f"{self._path}: {error.strerror}") from None
        self._start = b"\n" if written < len(line) else b""  # what was cut short is a line of its own
        if self._start:
            raise NotDelivered(f"{self._path}: only a part could be written")
        return 0

    def close(self) -> None:
        """Nothing is held between deliveries."""


class ExecEndpoint:
    """Runs ``command`` for each envelope, which is its standard input. Status 0 within ``timeout`` seconds
    counts as delivered."""

    def __init__(self, command: str, timeout: float) -> None:
        self._command = command
        self._timeout = timeout
        self._process: Popen[bytes] | None = None

    def deliver(self, body: bytes) -> int:
        import shlex
        import subprocess

        words = shlex.split(self._command)
        try:
            process = subprocess.Popen(  # noqa: S603 - configured: see config/keys/notifications.py
                words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise NotDelivered(f"{words[0]}: {error.strerror}") from None
        with process:  # closes the pipe
            self._process = process
            try:
                process.communicate(body, self._timeout)
            except subprocess.TimeoutExpired:
                self.close()
                raise NotDelivered(f"{words[0]}: still running after {self._timeout:g} s") from None
            finally:
                self._process = None
        if process.returncode:
            raise NotDelivered(f"{words[0]}: ended with status {process.returncode}")
        return 0

    def close(self) -> None:
        import signal
        from contextlib import suppress

        process = self._process
        if process is not None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)


class CallbackEndpoint:
    """Calls ``callback`` with each event. An exception counts as a failure."""

    def __init__(self, callback: Callable[[dict[str, Any]], object]) -> None:
        self._callback = callback

    def deliver(self, body: bytes) -> int:
        for event in json.loads(body)["events"]:
            try:
                self._callback(event)
            except Exception as error:
                raise NotDelivered(f"{type(error).__name__}: {error}") from error
        return 0

    def close(self) -> None:
        """A function cannot be interrupted."""
