"""A folder of the local file system.

Whatever is written appears at its path by one rename, after its bytes are on the disk, and a deletion is one
rename away from it; the folders that changed are synced before a verb returns. Files on their way in or out
stand in ``SCRATCH``, below the root so that no rename crosses file systems, where nobody looks and purging
finds what a killed process left.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from udist_plugin.errors import (
    ConfigurationError,
    InvalidOffset,
    InvalidPath,
    PathNotFound,
    StorageError,
    StorageFull,
)
from udist_plugin.storage.drivers import files
from udist_plugin.storage.drivers.base import SMALL_FILE_MAX, FileContent, FileInfo, FileWriter, StorageDriver
from udist_plugin.storage.drivers.filesystem_steps import StagedFiles
from udist_plugin.storage.drivers.filesystem_writers import AppendedFile, NewFile
from udist_plugin.storage.paths import SCRATCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

    from udist_plugin.content import Content

PIECE = 16 << 10
"""Bytes of a small file read at a time; most have fewer."""
DEFAULT_ROOT = "/var/lib/registry"
FINE_TICK, COARSE_TICK = 0.05, 2.5
"""Seconds within which two changes of a folder may bear the same time: a kernel's clock has ticks of at most
10 ms, and some file systems keep whole seconds only."""
SYNCED_MAX = 4096
"""Folders of which is kept in memory when they were synced."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_INVALID = {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTEMPTY, errno.EEXIST, errno.ELOOP}


class FilesystemDriver(StorageDriver):
    """Files below ``root``, which is made by the first write."""

    name = "filesystem"

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self._above = self.root.rstrip("/")
        self._synced: dict[str, tuple[int, int]] = {}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> FilesystemDriver:
        """``rootdirectory`` is a path; ``maxthreads`` is checked only: streams bound the threads."""
        root = parameters.get("rootdirectory", DEFAULT_ROOT)
        if not isinstance(root, str) or not root or "\0" in root:
            raise ConfigurationError("expected a path", key="storage.filesystem.rootdirectory")
        threads = parameters.get("maxthreads", 1)
        if type(threads) is not int or threads < 1:
            raise ConfigurationError("expected a positive number", key="storage.filesystem.maxthreads")
        _check_root(root)
        return cls(root)

    def put_content(self, path: str, content: bytes, *, durable: bool = True) -> None:
        with NewFile(self, path, durable=durable) as writer:
            writer.write(content)
            writer.commit()

    def put_contents(self, *steps: Mapping[str, bytes]) -> None:
        with StagedFiles(self) as staged:
            for step in steps:
                staged.add_step(step)
            if staged.commit():
                return
        super().put_contents(*steps)  # others make and delete the same folders just now

    def get_content(self, path: str, limit: int = SMALL_FILE_MAX) -> bytes:
        """With the fewest calls: every request reads a link or two."""
        content = b""
        try:
            file = os.open(self.full_path(path), files.READ)
            try:
                while len(content) <= limit and (piece := os.read(file, PIECE)):
                    content += piece
            finally:
                os.close(file)
        except OSError as error:
            raise self.named_error(error, path) from error
        if len(content) > limit:
            raise self.too_large(path, limit)
        return content

    def reader(self, path: str, start: int = 0, end: int | None = None) -> Content:
        with self.named_errors(path):
            file = cast("BinaryIO", open(self.full_path(path), "rb", buffering=0))  # noqa: SIM115
        try:
            size = os.fstat(file.fileno()).st_size
            if not 0 <= start <= size:
                raise InvalidOffset(f"offset {start} of {size} bytes", driver=self.name, path=path)
            file.seek(start)
        except BaseException:
            file.close()
            raise
        return FileContent(file, max(0, size - start if end is None else min(end, size) - start))

    def writer(self, path: str, *, append: bool = False) -> FileWriter:
        return AppendedFile(self, path) if append else NewFile(self, path)

    def stat(self, path: str) -> FileInfo:
        try:
            status = os.stat(self.full_path(path))
        except OSError as error:
            raise self.named_error(error, path) from error
        is_folder = status.st_mode & 0o170000 == 0o040000
        return FileInfo(path, 0 if is_folder else status.st_size, status.st_mtime, is_folder)

    def list(self, path: str) -> list[str]:
        with self.named_errors(path):
            return os.listdir(self.full_path(path))

    def move(self, source: str, destination: str) -> None:
        with self.named_errors(source):
            self.place(self.full_path(source), destination)

    def delete(self, path: str, *, durable: bool = True) -> None:
        full = self.full_path(path)
        if full == self.root:
            raise InvalidPath("the root of the store is not deleted", driver=self.name, path=path)
        with self.named_errors(path):
            self._discard(full)
            if durable:
                with suppress(FileNotFoundError):  # deleted too, by another
                    files.sync_folder(os.path.dirname(full))

    def full_path(self, path: str) -> str:
        """Where ``path`` stands in the file system. Raises ``InvalidPath``."""
        return self._above + self.check_path(path) if path != "/" else self.root

    def scratch_path(self) -> str:
        """A path for a file on its way, in a folder that stands."""
        folder = self.full_path(SCRATCH)
        self.make_folders(folder)
        return f"{folder}/{os.urandom(16).hex()}"

    def make_folders(self, folder: str) -> None:
        """Makes ``folder`` and what is missing above it."""
        above = os.path.dirname(folder)
        try:
            files.make_folder(folder)
        except FileExistsError:
            return
        except FileNotFoundError:
            if above == folder:
                raise
            self.make_folders(above)
            with suppress(FileExistsError):
                files.make_folder(folder)
        if len(folder) <= len(self.root):
            with suppress(PermissionError):  # it may not be ours to read
                files.sync_folder(above)  # the root is new; from there on down, sync_above does it

    def place(self, source: str, path: str, *, durable: bool = True) -> None:
        """Renames the file ``source`` to ``path``, in folders that others may be deleting."""
        target = self.full_path(path)
        folder = os.path.dirname(target)
        for _ in range(files.ATTEMPTS):
            try:
                files.rename(source, target)
                break
            except FileNotFoundError:
                if not os.path.lexists(source):
                    raise
            with suppress(FileNotFoundError):  # vanished again: the next attempt makes it
                self.make_folders(folder)
        else:
            raise StorageError("others kept deleting its folder; try again", driver=self.name, path=path)
        if durable:
            self.sync_above((target,))

    def sync_above(self, targets: Iterable[str]) -> None:
        """Makes the entries durable that lead from the root to what was renamed to ``targets``.

        Whoever made a folder above, another process too, may not have synced it yet.
        """
        seen: set[str] = set()
        for folder in dict.fromkeys(map(os.path.dirname, targets)):
            with suppress(FileNotFoundError):  # deleted by another after the rename, and the file with it
                files.sync_folder(folder)
                while folder != self.root and (folder := os.path.dirname(folder)) not in seen:
                    seen.add(folder)
                    self._sync_if_changed(folder)

    def _sync_if_changed(self, folder: str) -> None:
        """Syncs a folder unless it was synced here since it last changed."""
        status = os.stat(folder)
        state = (status.st_ino, status.st_mtime_ns)
        if self._synced.get(folder) == state:
            return
        files.sync_folder(folder)
        tick = FINE_TICK if status.st_mtime_ns % 1_000_000_000 else COARSE_TICK
        if time.time() - status.st_mtime > tick:
            if len(self._synced) >= SYNCED_MAX:
                self._synced.clear()
            self._synced[folder] = state

    @contextmanager
    def named_errors(self, path: str) -> Iterator[None]:
        """Turns what the operating system says into the errors of a driver, which tell where the store is."""
        try:
            yield
        except OSError as error:
            raise self.named_error(error, path) from error

    def named_error(self, error: OSError, path: str) -> StorageError:
        """The driver's error for one of the operating system's about ``path``."""
        if isinstance(error, FileNotFoundError):
            return PathNotFound("not found", driver=self.name, path=path)
        kind = StorageError
        if error.errno in _FULL:
            kind = StorageFull
        elif error.errno in _INVALID:
            kind = InvalidPath
        return kind(error.strerror or str(error), driver=self.name, path=self._above + path)

    def _discard(self, full: str) -> None:
        """Takes a file or folder out of sight by one rename, then apart."""
        if not os.path.lexists(full):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), full)
        try:
            hidden = self.scratch_path()
            files.rename(full, hidden)
        except OSError as error:
            if error.errno not in (_FULL | {errno.EINVAL}):
                raise
            hidden = full  # no room to move it to, which deleting makes, or the scratch folder is in it
        if os.path.isdir(hidden) and not os.path.islink(hidden):
            files.remove_tree(hidden)
        else:
            files.unlink(hidden)


def _check_root(root: str) -> None:
    """Raises ``ConfigurationError`` where no folder can be. One that is missing is made by the first write,
    one that may not be looked at is each request's error."""
    try:
        os.stat(f"{root}/")
    except OSError as error:
        dangling = error.errno == errno.ENOENT and os.path.islink(root)
        if dangling or error.errno in _INVALID:
            problem = f"expected a folder, not {root!r}: {error.strerror}"
            raise ConfigurationError(problem, key="storage.filesystem.rootdirectory") from None
