"""The folder that a server has to itself, with its socket.

A second server would take a path over silently, and a name that others can guess could be taken before. So
each socket is the only thing in a folder that only its user may enter.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress

from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX: Final = "udist-grpc-"
NAME: Final = "plugin.sock"
LONGEST: Final = 100
"""Bytes of a path that every system takes for a socket."""
YOUNG: Final = 60.0
"""Seconds in which a server may still be about to listen."""


def parent_folder(environ: Mapping[str, str]) -> str:
    """Where the host wants it; else the user's folder for such things, or the one for temporary files. sudo
    and su may leave a variable that names a folder which is gone, or another user's."""
    from tempfile import gettempdir

    if wanted := environ.get("PLUGIN_UNIX_SOCKET_DIR"):
        return wanted
    runtime = environ.get("XDG_RUNTIME_DIR")
    return runtime if runtime and os.access(runtime, os.W_OK | os.X_OK) else gettempdir()


class SocketFolder:
    """A new folder in ``parent``. Raises ``OSError``."""

    def __init__(self, parent: str) -> None:
        from tempfile import mkdtemp

        self._parent = parent
        self._folder = mkdtemp(prefix=PREFIX, dir=parent)  # 0700
        self.socket = os.path.join(self._folder, NAME)
        if len(os.fsencode(self.socket)) > LONGEST:
            self.remove()
            problem = f"more than {LONGEST} bytes; set TMPDIR to a shorter path"
            raise OSError(errno.ENAMETOOLONG, problem, parent)

    def protect(self) -> None:
        """The socket is its user's, wherever the folder's mode counts for nothing."""
        os.chmod(self.socket, 0o600)

    def remove(self) -> None:
        """Removes all of it; twice is once."""
        _remove(self._folder)

    def remove_abandoned(self) -> None:
        """Removes the folders beside this one whose servers were killed."""
        with suppress(OSError):
            for folder in self._others():
                if is_abandoned(folder):
                    _remove(folder)

    def _others(self) -> Iterator[str]:
        before = time.time() - YOUNG
        with os.scandir(self._parent) as entries:
            for entry in entries:
                if not entry.name.startswith(PREFIX) or not entry.is_dir(follow_symlinks=False):
                    continue
                status = entry.stat(follow_symlinks=False)
                if status.st_uid == os.geteuid() and status.st_mtime < before and entry.path != self._folder:
                    yield entry.path


def _remove(folder: str) -> None:
    """A folder and the socket in it, as far as they are there."""
    with suppress(OSError):
        os.unlink(os.path.join(folder, NAME))
    with suppress(OSError):
        os.rmdir(folder)


def is_abandoned(folder: str) -> bool:
    """Whether nobody listens in ``folder``."""
    import socket

    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.path.join(folder, NAME))
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except OSError:
            return False
        return False
