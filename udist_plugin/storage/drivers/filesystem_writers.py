"""How the filesystem driver writes: new files out of sight, growing ones in place and locked."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from udist_plugin.errors import PathBusy
from udist_plugin.storage.drivers import files
from udist_plugin.storage.drivers.base import FileWriter

if TYPE_CHECKING:
    from udist_plugin.storage.drivers.filesystem import FilesystemDriver


class NewFile(FileWriter):
    """A file in the scratch folder until it is committed."""

    def __init__(self, driver: FilesystemDriver, path: str, *, durable: bool = True) -> None:
        self.size = 0
        self._driver = driver
        self._path = driver.check_path(path)
        self._durable = durable
        self._descriptor = -1
        with driver.named_errors(path):
            self._scratch = driver.scratch_path()
            self._descriptor = files.create(self._scratch)

    def write(self, data: bytes | memoryview) -> None:
        with self._driver.named_errors(self._path):
            for written in files.write_all(self._descriptor, data):
                self.size += written

    def commit(self, path: str | None = None) -> None:
        path = path or self._path
        with self._driver.named_errors(path):
            if self._durable:
                files.sync(self._descriptor)
            self._close()
            try:
                self._driver.place(self._scratch, path, durable=self._durable)
            except BaseException:
                self._drop()
                raise

    def cancel(self) -> None:
        self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            self._close()
            self._drop()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def _drop(self) -> None:
        with suppress(OSError):  # what stays is purged
            files.unlink(self._scratch)


class AppendedFile(FileWriter):
    """A file that grows in place, locked: once it is committed no other writer can still hold it open.

    The lock is between writers of this package; a stock server takes none.
    """

    def __init__(self, driver: FilesystemDriver, path: str) -> None:
        self._driver = driver
        self._path = path
        self._full = driver.full_path(path)
        self._descriptor = -1
        with driver.named_errors(path):
            self._descriptor = self._open()
            self.size = os.fstat(self._descriptor).st_size

    def write(self, data: bytes | memoryview) -> None:
        with self._driver.named_errors(self._path):
            for written in files.write_all(self._descriptor, data):
                self.size += written

    def commit(self, path: str | None = None) -> None:
        with self._driver.named_errors(path or self._path):
            files.sync(self._descriptor)
            if os.name == "nt":
                self.close()  # Windows renames no open file
            try:
                self._driver.place(self._full, path or self._path)
            finally:
                self.close()

    def cancel(self) -> None:
        with suppress(OSError):  # gone already, or purged with its upload
            files.unlink(self._full)
        self.close()

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self) -> int:
        for _ in range(files.ATTEMPTS):
            try:
                descriptor = files.open_end(self._full)
            except FileNotFoundError:
                with suppress(FileNotFoundError):
                    self._driver.make_folders(os.path.dirname(self._full))
                continue
            try:
                if not files.lock(descriptor):
                    raise PathBusy("another writer holds it", driver=self._driver.name, path=self._path)
                if _stands_at(descriptor, self._full):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # committed or deleted while this one waited
        raise PathBusy("others kept replacing it", driver=self._driver.name, path=self._path)


def _stands_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
