"""The folder that holds the store: where a path leads, and how a rename there becomes durable."""

from __future__ import annotations

import errno
import os
import sys
import time
from contextlib import nullcontext, suppress

from udist_plugin.drivers.base import check_path
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.holding import holding, is_at
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
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import TypeVar

    Made = TypeVar("Made")
    Synced = TypeVar("Synced", int, str)

NAME = "filesystem"
FINE_TICK, COARSE_TICK = 0.05, 2.5
"""Seconds within which two changes of a folder may bear the same time: a kernel's clock has ticks of at most
10 ms, and some file systems keep whole seconds only."""
REPEATS = 3
"""How often to try a rename that fails as on a network."""
PAUSE = 0.05
"""Seconds from one try to the next."""
SYNCED_MAX = 4096
"""Folders of which is kept in memory when they were synced."""

SLOW = 0.0001
"""Seconds from which a sync is worth letting others go on; on a memory file system it takes a microsecond."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
INVALID = {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTEMPTY, errno.EEXIST, errno.ELOOP}


class Tree:
    """Files below ``root``, a folder of the file system; ``scratch`` is the path of those being written."""

    def __init__(self, root: str, scratch: str) -> None:
        self.root = os.path.abspath(root)
        self.scratch = check_path(scratch, NAME)
        self._above = self.root.rstrip("/")
        self._scratch = self.full_path(scratch)
        self._synced: dict[str, tuple[int, int]] = {}
        self.once = Once()
        self.waiting: Callable[[], AbstractContextManager[None]] = nullcontext
        self._syncs_slowly = True

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
        for each in (folder, self._scratch):
            if os.path.lexists(each) and not _writable(each):
                return f"{each}: not writable ({user()}); the store can be read, and pushes will fail"
        return ""

    def scratch_path(self) -> str:
        """A new path for something on its way; see ``in_scratch``."""
        return f"{self._scratch}/{os.urandom(16).hex()}"

    def in_scratch(self, make: Callable[[], Made]) -> Made:
        """What ``make`` returns, which makes something on a scratch path. The folder for such is made when it
        turns out to be missing."""
        try:
            return make()
        except FileNotFoundError:
            self.make_folders(self._scratch)
            return make()

    def make_folders(self, folder: str) -> os.stat_result:
        """Makes ``folder`` and what is missing above it, and returns whose owner, group and mode a file in it
        is to have."""
        above = os.path.dirname(folder)
        try:
            calls.make_folder(folder)
        except FileExistsError:
            return os.stat(folder)
        except FileNotFoundError:
            if above == folder:
                raise
            self.make_folders(above)
            with suppress(FileExistsError):
                calls.make_folder(folder)
        if len(folder) > len(self.root):
            status = os.stat(above)
            calls.adopt(folder, status)
            return status
        with suppress(PermissionError):  # it may not be ours to read
            self.sync_folder(above)  # the root is new; from there on down, sync_above does it
        return os.stat(folder)

    def create(self, path: str) -> int:
        """A descriptor of a new file on a scratch path."""
        try:
            return self.in_scratch(lambda: calls.create(path))
        except FileExistsError:  # its name is random: an earlier request made it, whose answer was lost
            return calls.open_end(path)

    def adopt(self, new: int, path: str) -> os.stat_result:
        """Lets a new file, open as ``new``, follow the folder that it is going to stand in at ``path``, which
        is made if it is missing: most files have one of their own. Returns the file's status before."""
        status = os.fstat(new)
        with suppress(FileNotFoundError):  # deleted by another
            calls.adopt(new, self.make_folders(os.path.dirname(self.full_path(path))), status)
        return status

    def missing_from(self, full: str) -> tuple[str, os.stat_result]:
        """``full`` or the highest folder above it that does not stand, and what there is to know of the one
        that it is to stand in. The root is made if it is missing."""
        while True:
            above = os.path.dirname(full)
            try:
                return full, os.stat(above)
            except FileNotFoundError:
                if len(above) <= len(self.root):
                    return full, self.make_folders(self.root)
                full = above

    def place(
        self, source: str, status: os.stat_result, path: str, *, durable: bool = True, held: bool = False
    ) -> None:
        """Renames the file ``source``, which has this ``status``, to ``path``, in folders that others may be
        deleting; ``held`` if others may be about to delete it by what it holds (see ``deletion``)."""
        target = self.full_path(path)
        folder = os.path.dirname(target)
        for _ in range(calls.ATTEMPTS):
            try:
                with holding(folder) if held else nullcontext():
                    self.rename(source, target, lambda: is_at(target, status))
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

    def rename(self, source: str, target: str, is_done: Callable[[], bool]) -> None:
        """Renames a file or folder, again if that fails once as on a network. An error is none if the rename
        ``is_done``: the answer to a first request was lost, and the second one found nothing to rename."""
        for attempt in range(1, REPEATS + 1):
            try:
                calls.rename(source, target)
            except OSError as error:
                if error.errno not in calls.UNSURE | {errno.ENOENT}:
                    raise
                with suppress(OSError):
                    if is_done():
                        return
                if error.errno == errno.ENOENT or attempt == REPEATS:
                    raise
                self.once.warn(
                    "rename",
                    f"{source} -> {target}: {error.strerror}; renames are tried {REPEATS} times here",
                )
                time.sleep(PAUSE)  # for the server to come back, or another to let go of the file
            else:
                return

    def sync_above(self, targets: Iterable[str]) -> None:
        """Makes the entries durable that lead from the root to what was renamed to ``targets``.

        Whoever made a folder above, another process too, may not have synced it yet.
        """
        seen: set[str] = set()
        for folder in dict.fromkeys(map(os.path.dirname, targets)):
            with suppress(FileNotFoundError):  # deleted by another after the rename, and the file with it
                self.sync_folder(folder)
                self._sync_way_to(folder, seen)

    def _sync_way_to(self, folder: str, seen: set[str]) -> None:
        """Syncs the folders above one, up to the first of which that has been done, be it ``seen`` or a while
        ago, if it has not changed since."""
        synced: dict[str, tuple[int, int]] = {}
        way: list[str] = []
        while folder != self.root and (folder := os.path.dirname(folder)) not in seen:
            way.append(folder)
            now = time.time()  # before the sync: it may miss a change that is made while it takes place
            status = os.stat(folder)
            state = (status.st_ino, status.st_mtime_ns)
            if self._synced.get(folder) == state:
                break
            self.sync_folder(folder)
            tick = FINE_TICK if status.st_mtime_ns % 1_000_000_000 else COARSE_TICK
            if now - status.st_mtime > tick:
                synced[folder] = state
        if len(self._synced) + len(synced) > SYNCED_MAX:
            self._synced.clear()
        self._synced |= synced
        seen.update(way)

    def sync_folder(self, folder: str) -> None:
        """Makes the entries of a folder durable, where the file system can."""
        try:
            try:
                self.sync(calls.sync_folder, folder)
            except OSError as error:
                if error.errno != errno.ESTALE:
                    raise
                self.sync(calls.sync_folder, folder)  # another machine has replaced it
        except OSError as error:
            self.go_without("fsync of folders", error, "a loss of power may undo the last changes")

    def sync(self, call: Callable[[Synced], None], what: Synced) -> None:
        """One of the syncs of ``calls``, within ``waiting`` if the last one was worth it."""
        with self.waiting() if self._syncs_slowly else nullcontext():
            began = time.monotonic()
            call(what)
            self._syncs_slowly = time.monotonic() - began > SLOW

    def go_without(self, what: str, error: OSError, consequence: str) -> None:
        """Logs once that the file system lacks something. Raises ``error`` if it says anything else."""
        if error.errno not in calls.LACKING:
            raise error
        self.once.warn(what, f"{self.root}: no {what} here ({error.strerror}); {consequence}")

    def hide(self, full: str) -> str:
        """Takes a file or folder out of sight by one rename; where it is then."""
        try:
            hidden = self.scratch_path()
            self.in_scratch(lambda: self._rename_away(full, hidden))
        except OSError as error:
            if error.errno not in (_FULL | {errno.EINVAL, errno.EXDEV}):
                raise
            # There is no room to move it to, which deleting makes, or the scratch folder is in it, or it is a
            # folder of a lower layer of overlayfs.
            return full
        return hidden

    def discard(self, full: str) -> None:
        """Deletes a file, or takes a folder out of sight, then apart."""
        try:
            calls.unlink(full)
        except (IsADirectoryError, PermissionError):  # the latter is what POSIX says of a folder
            self.drop(calls.remove_tree, self.hide(full), full)

    def drop(self, take: Callable[[str], None], hidden: str, full: str) -> None:
        """Has ``take`` delete what ``hide`` made of ``full``. Once that is out of sight it is gone: what
        cannot be deleted yet, such as a file that NFS keeps for its reader, is purged later."""
        try:
            take(hidden)
        except OSError as error:
            if hidden == full:
                raise
            if error.errno != errno.ENOENT:
                self.once.warn("drop", f"{hidden}: {error.strerror}; purging of uploads deletes it later")

    def _rename_away(self, full: str, hidden: str) -> None:
        try:
            self.rename(full, hidden, lambda: os.path.lexists(hidden))
        except FileNotFoundError:
            os.lstat(full)  # it stands; what is missing is where to
            raise

    def named_errors(self, path: str) -> NamedErrors:
        """Turns what the operating system says into the errors of a driver, which tell where the store is."""
        return NamedErrors(self, path)

    def named_error(self, error: OSError, path: str) -> StorageError:
        """The driver's error for one of the operating system's about ``path``.

        It names the files that the call was about, where those are others, and who was not permitted.
        """
        if isinstance(error, FileNotFoundError):
            return PathNotFound("not found", driver=NAME, path=path)
        full = self._above + path
        problem = error.strerror or str(error)
        about = [name for name in (error.filename, error.filename2) if name not in (None, full)]
        if error.errno == errno.EROFS:
            problem += "; mount it read-write"
        elif about:
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


class NamedErrors:
    """The context of ``Tree.named_errors``; one made by ``contextmanager`` takes as long as a system call."""

    __slots__ = ("_path", "_tree")

    def __init__(self, tree: Tree, path: str) -> None:
        self._tree = tree
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise self._tree.named_error(error, self._path) from error


def _writable(folder: str) -> bool:
    effective = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=effective)


def user() -> str:
    """Whom the operating system knows this process as, for errors."""
    if sys.platform == "win32":
        return "this user"
    return f"user {os.geteuid()}, group {os.getegid()}"
