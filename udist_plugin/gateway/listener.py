"""Where the gateway listens: a free port of the loopback interface, or a Unix socket."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import suppress

from udist_plugin.typed import Final

BACKLOG: Final = 256
"""Connections that wait to be accepted, at most; those of the first instant wait for the server's imports."""


def on_loopback() -> socket.socket:
    """A socket that listens on a free port of 127.0.0.1. Raises ``OSError``."""
    return socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)


def on_path(path: str) -> socket.socket:
    """A Unix socket that listens at ``path``, for this user alone. One that nobody listens at any longer is
    replaced. Raises ``OSError``."""
    if _is_abandoned(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # of the whole process: what others make meanwhile is private, too
    try:
        listener.bind(path)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, error.strerror or str(error), path) from None
    finally:
        os.umask(mask)
    return listener


def remove_abandoned(path: str) -> None:
    """Removes the socket at ``path`` if nobody listens there."""
    with suppress(OSError):
        if _is_abandoned(path):
            os.unlink(path)


def _is_abandoned(path: str) -> bool:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return False
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1.0)
        try:
            client.connect(path)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
