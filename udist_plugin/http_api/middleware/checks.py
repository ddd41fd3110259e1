"""What a health check can look at. Each is a function that raises ``CheckFailed`` when it is not well, in
distribution's words."""

from __future__ import annotations

import re

from udist_plugin.errors import UdistError
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Look = Callable[[], None]


SECRETS = ("authorization", "cookie")
"""Fields that no redirect is followed with: it may lead elsewhere."""


class CheckFailed(UdistError):
    """What was looked at is not well."""


def file_check(path: str) -> Look:
    """That nothing stands at ``path``: making the file takes the registry out of service."""

    def look() -> None:
        import os

        try:
            os.stat(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise CheckFailed(f"stat {path}: {error.strerror}") from error
        raise CheckFailed("file exists")

    return look


def http_check(uri: str, status: int, timeout: float, headers: Mapping[str, Sequence[str]]) -> Look:
    """That HEAD of ``uri`` is answered with ``status``, redirects followed; ``timeout`` is in seconds.

    A login in ``uri`` is sent as one, and no error shows it.
    """
    uri, fields = _login(uri)
    fields |= {name: ", ".join(values) for name, values in headers.items()}

    def look() -> None:
        found = _status_of(uri, fields, timeout)
        if found != status:
            raise CheckFailed(f"{uri}: downstream service returned unexpected status: {found}")

    return look


def tcp_check(address: str, timeout: float) -> Look:
    """That ``address``, a host and a port, takes a connection; ``timeout`` is in seconds."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "localhost"

    def look() -> None:
        import socket

        try:
            socket.create_connection((host, port), timeout).close()
        except OSError as error:
            raise CheckFailed(f"{address}: connection failed: {error}") from error

    return look


def _login(uri: str) -> tuple[str, dict[str, str]]:
    """``uri`` without its login, and the field that it is sent in (RFC 7617)."""
    match = re.match(r"(\w+://)([^/?#]*)@", uri)
    if match is None:
        return uri, {}
    from base64 import b64encode
    from urllib.parse import unquote_to_bytes

    login = b64encode(unquote_to_bytes(match[2])).decode()
    return match[1] + uri[match.end() :], {"Authorization": f"Basic {login}"}


def _status_of(uri: str, fields: dict[str, str], timeout: float) -> Any:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        request = Request(uri, method="HEAD")  # noqa: S310 - configured: http or https
        for name, value in fields.items():
            secret = name.lower() in SECRETS
            (request.add_unredirected_header if secret else request.add_header)(name, value)
        with urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return answer.status
    except HTTPError as error:
        error.close()
        return error.code
    except (OSError, ValueError, HTTPException) as error:
        raise CheckFailed(f"{uri}: error while checking: {error}") from error
