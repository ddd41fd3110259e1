"""Files that one process has open and the other reads (Linux).

What the peer says of a file is checked: its descriptor is opened through ``/proc``, and must be the very file
that it describes. No path comes from the peer.
"""

from __future__ import annotations

import errno
import os
import stat

from udist_plugin.link.splice import descriptor_of
from udist_plugin.typed import Final
from udist_plugin.wire.frames import File

FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
O_PATH: Final = getattr(os, "O_PATH", 0)
READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


def described(descriptor: int, offset: int, length: int) -> File | None:
    """What to tell the peer of ``length`` bytes from ``offset`` on of an open file; ``None`` if it is no
    regular file, or shorter."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or offset + length > status.st_size:
        return None
    return File(descriptor, offset, length, status.st_dev, status.st_ino, status.st_size)


def described_file(file: object, length: int | None = None) -> File | None:
    """The same of ``length`` bytes of a real file from where it stands, or of all that is left."""
    descriptor = descriptor_of(file)
    if descriptor is None:
        return None
    offset = os.lseek(descriptor, 0, os.SEEK_CUR)
    return described(descriptor, offset, os.fstat(descriptor).st_size - offset if length is None else length)


class PeerFiles:
    """The files that process ``pid`` has open. Raises ``OSError`` unless it runs as this one's user.

    The folder in ``/proc`` is held open: it stays that process's, even if its id is given to another.
    """

    def __init__(self, pid: int) -> None:
        self._process = os.open(f"/proc/{pid}", FOLDER)
        if os.fstat(self._process).st_uid != os.geteuid():
            self.close()
            raise PermissionError(errno.EPERM, "it runs as another user")

    def open(self, file: File) -> int:
        """A descriptor of this process's own, for reading. Raises ``OSError`` if it cannot be opened, or is
        not the file that was told of."""
        path = f"fd/{file.fd}"
        _check(file, os.stat(path, dir_fd=self._process))  # a device may do something when it is opened
        descriptor = os.open(path, READ, dir_fd=self._process)
        try:
            _check(file, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def check_readable(self, file: File) -> None:
        """Raises ``OSError`` unless the process has the file open for reading: it may not be allowed to."""
        with open(os.open(f"fdinfo/{file.fd}", READ, dir_fd=self._process), "rb") as information:
            flags = next((int(line[6:], 8) for line in information if line.startswith(b"flags:")), O_PATH)
        if flags & (os.O_ACCMODE | O_PATH) not in (os.O_RDONLY, os.O_RDWR):
            raise OSError(errno.EBADF, f"descriptor {file.fd} is not open for reading")

    def close(self) -> None:
        """Lets go of the process; twice is once."""
        process, self._process = self._process, -1
        if process >= 0:
            os.close(process)


def _check(file: File, status: os.stat_result) -> None:
    told = file.device, file.inode, file.size
    if not stat.S_ISREG(status.st_mode) or told != (status.st_dev, status.st_ino, status.st_size):
        raise OSError(errno.EBADF, f"descriptor {file.fd} is not the file that was told of")
    if file.offset + file.length > file.size:
        raise OSError(errno.EINVAL, f"the file of {file.size} bytes has no {file.length} at {file.offset}")
