"""The calls of the operating system that change files, and what differs between systems.

Nothing else in the filesystem driver changes anything, so a test can record here what was done, in order.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import suppress

from udist_plugin.drivers.base import LOCK_WAIT
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.content import Shareable

LACKING = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}
"""What a call says that a file system does not have, such as locks on Lustre and NFS, or fsync of folders on
SMB."""
UNSURE = {errno.EIO, errno.ESTALE, errno.EBUSY, errno.ETIMEDOUT}
"""What a network file system says once of a call that it may have done, and does when asked again."""
ATTEMPTS = 16
"""How often to begin again when others change the same folders."""

_LOCK_PAUSE = 0.01
_ALWAYS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_WRITE = os.O_WRONLY | _ALWAYS

READ = os.O_RDONLY | _ALWAYS
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _ALWAYS


def create(path: str) -> int:
    """A descriptor of a new file; raises ``FileExistsError``."""
    return os.open(path, _WRITE | os.O_CREAT | os.O_EXCL, 0o666)


def open_end(path: str) -> int:
    """A descriptor of a file, made if missing, that writes at its end."""
    return os.open(path, _WRITE | os.O_CREAT | os.O_APPEND, 0o666)


def write(descriptor: int, data: bytes | memoryview) -> int:
    """Writes a part of ``data``, as ``write(2)`` does, and returns its length."""
    return os.write(descriptor, data)


def share(descriptor: int, source: Shareable) -> bool:
    """Fills an empty file with ``source``, without a copy; ``False`` if that cannot be done."""
    return source.share(descriptor)


def sync(descriptor: int) -> None:
    """Makes what the file holds durable."""
    _flush(descriptor)


def sync_folder(path: str) -> None:
    """Makes the entries of a folder durable."""
    if sys.platform == "win32":
        return  # NTFS journals entries, and has no call for it
    descriptor = os.open(path, FOLDER)
    try:
        _flush(descriptor)
    finally:
        os.close(descriptor)


def _flush(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):  # not on every file system
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync(2) there leaves it in the drive's cache
            return
    os.fsync(descriptor)


def close(descriptor: int) -> None:
    """Closes a file that was written. Only now do some network file systems tell what became of its bytes."""
    os.close(descriptor)


def make_folder(path: str) -> None:
    os.mkdir(path, 0o777)


def adopt(new: str | int, above: os.stat_result, status: os.stat_result | None = None) -> bool:
    """Gives a new file (its descriptor) or folder (its path) the owner, group and mode of the folder
    ``above`` it, as far as it can; whether it had them. ``status`` is its own, if that is known.

    Otherwise the umask of one writer would lock out others who share the store.
    """
    if sys.platform == "win32":
        return True  # where a folder's permissions are inherited
    status = status or os.stat(new)
    mode = above.st_mode & (0o2777 if stat.S_ISDIR(status.st_mode) else 0o666)
    same_owner = (status.st_uid, status.st_gid) == (above.st_uid, above.st_gid)
    same_mode = status.st_mode & 0o2777 == mode
    with suppress(OSError):
        if not same_owner:
            os.chown(new, -1 if os.geteuid() else above.st_uid, above.st_gid)
    with suppress(OSError):
        if not same_mode:
            os.chmod(new, mode)
    return same_owner and same_mode


def rename(source: str, destination: str) -> None:
    """Replaces a file at ``destination``, at once."""
    os.replace(source, destination)


def link(source: str, destination: str) -> None:
    """A second name for a file; raises ``FileExistsError``."""
    os.link(source, destination)


def unlink(path: str) -> None:
    os.unlink(path)


def remove_folder(path: str) -> None:
    os.rmdir(path)


def lock(descriptor: int, *, shared: bool = False) -> bool:
    """Locks a file until it is closed, for this writer alone or ``shared`` with others who say so.

    False when another does not let go of it within ``LOCK_WAIT`` seconds. Raises ``OSError`` with an errno in
    ``LACKING`` where there are no locks.
    """
    if sys.platform == "win32":
        return True  # an open file cannot be renamed there, which is what the lock is for
    import fcntl

    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    deadline = time.monotonic() + LOCK_WAIT
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOCK_PAUSE)  # flock has no time limit of its own
        else:
            return True


def write_all(descriptor: int, data: bytes | memoryview) -> Iterator[int]:
    """Writes all of ``data``, yielding the length of each part as it is written."""
    left = memoryview(data)
    while left:
        written = write(descriptor, left)
        left = left[written:]
        yield written


def remove_tree(folder: str) -> None:
    """Takes a folder apart, with what others who looked it up before still put into it."""
    for attempt in range(1, ATTEMPTS + 1):
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.is_dir(follow_symlinks=False):
                        remove_tree(entry.path)
                    else:
                        unlink(entry.path)
        try:
            remove_folder(folder)
        except FileNotFoundError:
            return  # by another, or by a request whose answer was lost
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt == ATTEMPTS:
                raise
        else:
            return
