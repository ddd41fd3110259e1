"""The folder that holds the store: where a path leads, and how a rename there becomes durable."""

from __future__ import annotations

import errno
import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from udist_plugin.drivers.base import check_path
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.holding import holding
from udist_plugin.drivers.once import Once
from udist_plugin.errors import (
    InvalidPath,
    PathBusy,
    PathNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from udist_plugin.exhaustion import exhausted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME = "filesystem"
FINE_TICK, COARSE_TICK = 0.05, 2.5
"""Seconds within which two changes of a folder may bear the same time: a kernel's clock has ticks of at most
10 ms, and some file systems keep whole seconds only."""
SYNCED_MAX = 4096
"""Folders of which is kept in memory when they were synced."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
INVALID = {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTEMPTY, errno.EEXIST, errno.ELOOP}


class Tree:
    """Files below ``root``, a folder of the file system; ``scratch`` is the path of those being written."""

    def __init__(self, root: str, scratch: str) -> None:
        self.root = os.path.abspath(root)
        self.scratch = check_path(scratch, NAME)
        self._above = self.root.rstrip("/")
        self._synced: dict[str, tuple[int, int]] = {}
        self.once = Once()

    def full_path(self, path: str) -> str:
        """Where ``path`` stands in the file system. Raises ``InvalidPath``."""
        return self._above + check_path(path, NAME) if path != "/" else self.root

    def look(self) -> str:
        """Why nothing can be written to the store, if so. Raises ``OSError`` if it cannot be read, either, or
        neither stands nor can be made."""
        folder = self.root
        try:
            os.stat(folder)
        except FileNotFoundError:
            while not os.path.lexists(folder):
                folder = os.path.dirname(folder)
            if not _writable(folder):
                problem = f"{os.strerror(errno.EACCES)}, so it cannot be made"
                raise PermissionError(errno.EACCES, problem, self.root) from None
            return ""
        os.scandir(folder).close()
        os.stat(f"{folder}/.")
        for each in (folder, self.full_path(self.scratch)):
            if os.path.lexists(each) and not _writable(each):
                return f"{each}: not writable ({user()}); the store can be read, and pushes will fail"
        return ""

    def scratch_path(self) -> str:
        """A path for a file on its way, in a folder that stands."""
        folder = self.full_path(self.scratch)
        self.make_folders(folder)
        return f"{folder}/{os.urandom(16).hex()}"

    def make_folders(self, folder: str) -> None:
        """Makes ``folder`` and what is missing above it."""
        above = os.path.dirname(folder)
        try:
            calls.make_folder(folder)
        except FileExistsError:
            return
        except FileNotFoundError:
            if above == folder:
                raise
            self.make_folders(above)
            with suppress(FileExistsError):
                calls.make_folder(folder)
        if len(folder) > len(self.root):
            with suppress(FileNotFoundError):  # deleted by another
                calls.adopt(folder, os.stat(above))
        else:
            with suppress(PermissionError):  # it may not be ours to read
                self.sync_folder(above)  # the root is new; from there on down, sync_above does it

    def adopt(self, new: str, path: str) -> None:
        """Lets a new file follow the folder that it is going to stand in at ``path``."""
        with suppress(FileNotFoundError):  # the root is deleted
            calls.adopt(new, self.nearest_folder(self.full_path(path)))

    def nearest_folder(self, full: str) -> os.stat_result:
        """What there is to know of the folder that ``full`` stands in, or the next above it that stands.

        Raises ``FileNotFoundError`` when not even the root does.
        """
        folder = os.path.dirname(full)
        while True:
            try:
                return os.stat(folder)
            except FileNotFoundError:
                if len(folder) <= len(self.root):
                    raise
                folder = os.path.dirname(folder)

    def place(self, source: str, path: str, *, durable: bool = True) -> None:
        """Renames the file ``source`` to ``path``, in folders that others may be deleting."""
        target = self.full_path(path)
        folder = os.path.dirname(target)
        for _ in range(calls.ATTEMPTS):
            try:
                with holding(folder):
                    calls.rename(source, target)
                break
            except FileNotFoundError:
                os.lstat(source)  # it is the folder that is missing
            with suppress(FileNotFoundError):  # vanished again: the next attempt makes it
                self.make_folders(folder)
        else:
            raise StorageError(
                "its folder was deleted repeatedly while it was written; try again", driver=NAME, path=path
            )
        if durable:
            self.sync_above((target,))

    def sync_above(self, targets: Iterable[str]) -> None:
        """Makes the entries durable that lead from the root to what was renamed to ``targets``.

        Whoever made a folder above, another process too, may not have synced it yet.
        """
        seen: set[str] = set()
        for folder in dict.fromkeys(map(os.path.dirname, targets)):
            with suppress(FileNotFoundError):  # deleted by another after the rename, and the file with it
                self.sync_folder(folder)
                while folder != self.root and (folder := os.path.dirname(folder)) not in seen:
                    seen.add(folder)
                    self._sync_if_changed(folder)

    def _sync_if_changed(self, folder: str) -> None:
        """Syncs a folder unless it was synced here since it last changed."""
        status = os.stat(folder)
        state = (status.st_ino, status.st_mtime_ns)
        if self._synced.get(folder) == state:
            return
        self.sync_folder(folder)
        tick = FINE_TICK if status.st_mtime_ns % 1_000_000_000 else COARSE_TICK
        if time.time() - status.st_mtime > tick:
            if len(self._synced) >= SYNCED_MAX:
                self._synced.clear()
            self._synced[folder] = state

    def sync_folder(self, folder: str) -> None:
        """Makes the entries of a folder durable, where the file system can."""
        try:
            calls.sync_folder(folder)
        except OSError as error:
            self.go_without("fsync of folders", error, "a loss of power may undo the last changes")

    def go_without(self, what: str, error: OSError, consequence: str) -> None:
        """Logs once that the file system lacks something. Raises ``error`` if it says anything else."""
        if error.errno not in calls.LACKING:
            raise error
        self.once.warn(what, f"{self.root}: no {what} here ({error.strerror}); {consequence}")

    def hide(self, full: str) -> str:
        """Takes a file or folder out of sight by one rename; where it is then."""
        os.lstat(full)
        try:
            hidden = self.scratch_path()
            calls.rename(full, hidden)
        except OSError as error:
            if error.errno not in (_FULL | {errno.EINVAL, errno.EXDEV}):
                raise
            # There is no room to move it to, which deleting makes, or the scratch folder is in it, or it is a
            # folder of a lower layer of overlayfs.
            return full
        return hidden

    def discard(self, full: str) -> None:
        """Takes a file or folder out of sight, then apart."""
        hidden = self.hide(full)
        if os.path.isdir(hidden) and not os.path.islink(hidden):
            calls.remove_tree(hidden)
        else:
            calls.unlink(hidden)

    @contextmanager
    def named_errors(self, path: str) -> Iterator[None]:
        """Turns what the operating system says into the errors of a driver, which tell where the store is."""
        try:
            yield
        except OSError as error:
            raise self.named_error(error, path) from error

    def named_error(self, error: OSError, path: str) -> StorageError:
        """The driver's error for one of the operating system's about ``path``.

        It names the files that the call was about, where those are others, and who was not permitted.
        """
        if isinstance(error, FileNotFoundError):
            return PathNotFound("not found", driver=NAME, path=path)
        full = self._above + path
        problem = error.strerror or str(error)
        about = [name for name in (error.filename, error.filename2) if name not in (None, full)]
        if about:
            problem += f": {' -> '.join(map(str, about))}"
        if isinstance(error, PermissionError):
            problem += f" ({user()})"
        kind = StorageError
        if error.errno in _FULL:
            kind = StorageFull
        elif error.errno in INVALID:
            kind = InvalidPath
        elif error.errno == errno.ESTALE or exhausted(error):
            kind = StorageUnavailable
        elif isinstance(error, TimeoutError):
            kind = PathBusy
        return kind(problem, driver=NAME, path=full)


def _writable(folder: str) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=effective)


def user() -> str:
    """Whom the operating system knows this process as, for errors."""
    if sys.platform == "win32":
        return "this user"
    return f"user {os.geteuid()}, group {os.getegid()}"
