"""The private folder of a gateway, and what is left of those whose gateway was killed.

All of a user's are in one place, each with a lock file that its gateway holds as long as it lives, and that
has the gateway's process id. So whoever gets a lock knows that the folder is abandoned.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager, suppress

from udist_plugin.gateway.listener import remove_abandoned
from udist_plugin.gateway.others import Process
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCK: Final = "lock"
SOCKET: Final = "socket"
"""A symbolic link to the socket that the gateway listens at, if it is somewhere else."""


class Folder:
    """A gateway's folder, of mode 0700. ``id`` is its name."""

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self.id = os.path.basename(path)
        self._lock = lock

    @classmethod
    def make(cls, environ: Mapping[str, str]) -> Folder:
        """A new one, locked by this process; abandoned ones are removed first. Raises ``OSError``."""
        place = _place(environ)
        with _only_one(place):
            for name in os.listdir(place):
                _remove_if_abandoned(os.path.join(place, name))
            path = os.path.join(place, os.urandom(8).hex())
            os.mkdir(path, 0o700)
            lock = os.open(os.path.join(path, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.write(lock, str(os.getpid()).encode())
        return cls(path, lock)

    def write(self, name: str, content: str | bytes, mode: int = 0o600) -> str:
        """The path of a new file in the folder, with ``content``."""
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def note_socket(self, path: str) -> None:
        """Remembers a socket elsewhere, so that it goes when the folder does."""
        os.symlink(os.path.abspath(path), os.path.join(self.path, SOCKET))

    def remove(self) -> None:
        """Removes everything; twice is once."""
        _remove(self.path)


def process_of(id: str, environ: Mapping[str, str]) -> Process | None:  # noqa: A002
    """The process of the gateway ``id``, ``None`` if it has ended. What a killed one left is removed."""
    if not (id.isascii() and id.isalnum()):
        return None
    path = os.path.join(_place(environ), id)
    if _remove_if_abandoned(path):
        return None
    with suppress(OSError, ValueError), open(os.path.join(path, LOCK)) as lock:
        process = Process(int(lock.read()))
        if not _remove_if_abandoned(path):  # so it is the gateway, and no later process of its id
            return process
    return None


def _place(environ: Mapping[str, str]) -> str:
    """The folder of all of this user's, which only this user can write to."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and _is_own(runtime):
        path = os.path.join(runtime, "udist")
    else:
        temporary = environ.get("TMPDIR") or "/tmp"  # noqa: S108 - checked
        path = os.path.abspath(os.path.join(temporary, f"udist-{os.getuid()}"))
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(1, "expected a folder of mode 0700 that belongs to this user", path)
    return path


def _is_own(folder: str) -> bool:
    """Whether it is this user's: sudo and su may leave the one of another."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and os.path.isabs(folder)


@contextmanager
def _only_one(place: str) -> Iterator[None]:
    """One process at a time makes a folder or removes abandoned ones."""
    lock = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _remove_if_abandoned(path: str) -> bool:
    """Whether there is no such gateway any longer."""
    try:
        lock = os.open(os.path.join(path, LOCK), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        _remove(path)
        return True
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        _remove(path)
        return True
    finally:
        os.close(lock)


def _remove(path: str) -> None:
    with suppress(OSError):
        remove_abandoned(os.readlink(os.path.join(path, SOCKET)))
    _remove_tree(path)


def _remove_tree(path: str) -> None:
    """As ``shutil.rmtree``, which takes longer to import than this to do."""
    with suppress(OSError):
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                _remove_tree(entry.path)
            else:
                os.unlink(entry.path)
        os.rmdir(path)
