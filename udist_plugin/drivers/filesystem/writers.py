"""How the filesystem driver writes: new files out of sight, growing ones in place and locked."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from udist_plugin.drivers.base import FileWriter, check_path
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.holding import is_at
from udist_plugin.drivers.filesystem.tree import NAME
from udist_plugin.errors import PathBusy, StorageError
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from udist_plugin.content import Shareable
    from udist_plugin.drivers.filesystem.tree import Tree


class NewFile(FileWriter):
    """A file in the scratch folder until it is committed."""

    def __init__(self, tree: Tree, path: str, *, durable: bool = True, held: bool = False) -> None:
        """``held`` is that of ``Tree.place``."""
        self.size = 0
        self._tree = tree
        self._path = check_path(path, NAME)
        self._durable = durable
        self._held = held
        self._descriptor = -1
        with tree.named_errors(path):
            self._scratch = tree.scratch_path()
            self._descriptor = tree.create(self._scratch)

    def write(self, data: bytes | memoryview) -> None:
        with self._tree.named_errors(self._path):
            for written in calls.write_all(self._descriptor, data):
                self.size += written

    def share(self, source: Shareable) -> bool:
        with self._tree.named_errors(self._path):
            if self.size or not calls.share(self._descriptor, source):
                return False
            self.size = os.fstat(self._descriptor).st_size
        return True

    def written(self) -> BinaryIO | None:
        if os.name == "nt":  # which renames no open file
            return None
        with self._tree.named_errors(self._path):
            return open(self._scratch, "rb", buffering=0)

    def commit(self, path: str | None = None) -> None:
        path = path or self._path
        with self._tree.named_errors(path):
            status = self._tree.adopt(self._descriptor, path)
            if self._durable:
                self._tree.sync(calls.sync, self._descriptor)
            try:
                self._close()
                self._tree.place(self._scratch, status, path, durable=self._durable, held=self._held)
            except BaseException:
                self._drop()
                raise

    def cancel(self) -> None:
        self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            with suppress(OSError):  # what was written is not wanted
                self._close()
            self._drop()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        calls.close(descriptor)

    def _drop(self) -> None:
        with suppress(OSError):  # what stays is purged
            calls.unlink(self._scratch)


class AppendedFile(FileWriter):
    """A file that grows in place, locked: once it is committed no other writer can still hold it open.

    Bytes that the kernel took and could not write are lost, and it says so once, when the file is synced or
    closed. Then nobody knows what the file holds, and it is deleted: the upload is to begin anew.

    The lock is between writers of this package; a stock server takes none. Where the file system has no locks
    the file is not ``exclusive``.
    """

    def __init__(self, tree: Tree, path: str) -> None:
        self._tree = tree
        self._path = path
        self._full = tree.full_path(path)
        self._descriptor = -1
        with tree.named_errors(path):
            self._descriptor, self._status = self._open()
            self.size = self._status.st_size
            if not self.size:
                with suppress(FileNotFoundError):  # deleted by another
                    calls.adopt(self._descriptor, os.stat(os.path.dirname(self._full)), self._status)

    def write(self, data: bytes | memoryview) -> None:
        with self._tree.named_errors(self._path):
            for written in calls.write_all(self._descriptor, data):
                self.size += written

    def commit(self, path: str | None = None) -> None:
        with self._tree.named_errors(path or self._path):
            if path is not None:
                self._tree.adopt(self._descriptor, path)
            with self._dropped_if_lost():
                self._tree.sync(calls.sync, self._descriptor)
            if os.name == "nt":
                self.close()  # Windows renames no open file
            try:
                self._tree.place(self._full, self._status, path or self._path)
            finally:
                self.close()

    def cancel(self) -> None:
        with suppress(OSError):  # gone already, or purged with its upload
            calls.unlink(self._full)
        with suppress(StorageError):  # what was written is not wanted
            self.close()

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with self._tree.named_errors(self._path), self._dropped_if_lost():
                calls.close(descriptor)

    @contextmanager
    def _dropped_if_lost(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            with suppress(OSError):
                calls.unlink(self._full)
            problem = f"{error.strerror}; what was uploaded is lost, upload it again"
            raise OSError(error.errno, problem, self._full) from error

    def _open(self) -> tuple[int, os.stat_result]:
        for _ in range(calls.ATTEMPTS):
            try:
                descriptor = calls.open_end(self._full)
            except FileNotFoundError:
                with suppress(FileNotFoundError):
                    self._tree.make_folders(os.path.dirname(self._full))
                continue
            try:
                if not self._lock(descriptor):
                    raise PathBusy("another writer holds it", driver=NAME, path=self._path)
                status = os.fstat(descriptor)
                if is_at(self._full, status):
                    return descriptor, status
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # committed or deleted while this one waited
        raise PathBusy(
            "the file was replaced repeatedly by other processes; try again", driver=NAME, path=self._path
        )

    def _lock(self, descriptor: int) -> bool:
        try:
            return calls.lock(descriptor)
        except OSError as error:
            self._tree.go_without("flock", error, "uploads in chunks are copied once they are complete")
            self.exclusive = False
            return True
