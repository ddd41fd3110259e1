"""A folder of the local file system.

Whatever is written appears at its path by one rename, after its bytes are on the disk, and a deletion is one
rename away from it; the folders that changed are synced before a verb returns. Files that are being written
or deleted stand in the scratch folder, below the root so that no rename crosses file systems, where purging
finds what a killed process left.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from functools import wraps

from udist_plugin.content import FileContent
from udist_plugin.drivers.base import SMALL_FILE_MAX, FileInfo, FileWriter, StorageDriver
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.listing import Listings, folder_states
from udist_plugin.drivers.filesystem.steps import StagedFiles
from udist_plugin.drivers.filesystem.tree import INVALID, NAME, Tree, user
from udist_plugin.drivers.filesystem.writers import AppendedFile, NewFile
from udist_plugin.errors import ConfigurationError, InvalidOffset, InvalidPath, StorageUnavailable
from udist_plugin.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import BinaryIO, Concatenate, ParamSpec, TypeVar

    from udist_plugin.content import Content
    from udist_plugin.drivers.once import Record

    Given = ParamSpec("Given")
    Result = TypeVar("Result")

ABSENT = INVALID | {errno.ENOENT}
"""What is said of a path at which no file can be."""

PIECE = 16 << 10
"""Bytes of a small file read at first; most have fewer."""


def again_if_stale(
    verb: Callable[Concatenate[FilesystemDriver, Given], Result],
) -> Callable[Concatenate[FilesystemDriver, Given], Result]:
    """Repeats a verb once that found what another machine has replaced on NFS (ESTALE): the second time the
    kernel looks the path up anew."""

    @wraps(verb)
    def repeated(self: FilesystemDriver, /, *args: Given.args, **keywords: Given.kwargs) -> Result:
        try:
            return verb(self, *args, **keywords)
        except StorageUnavailable as error:
            if getattr(error.__cause__, "errno", None) != errno.ESTALE:
                raise
            return verb(self, *args, **keywords)

    return repeated


class FilesystemDriver(StorageDriver):
    """Files below ``root``, which is made by the first write; see ``from_parameters`` for ``scratch``."""

    name = NAME

    def __init__(self, root: str, scratch: str) -> None:
        self._tree = Tree(root, scratch)
        self._listings = Listings()

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object], *, scratch: str) -> FilesystemDriver:
        root = parameters.get("rootdirectory")
        if not isinstance(root, str) or not root:
            raise ConfigurationError(
                "is missing; set it to the store's folder", key="storage.filesystem.rootdirectory"
            )
        _check_root(root)
        return cls(root, scratch)

    def wait_within(self, context: Callable[[], AbstractContextManager[None]]) -> bool:
        self._tree.waiting = context
        return True

    def start(self, record: Record) -> None:
        self._tree.once.start(record)

    def probe(self) -> None:
        """Nothing is made. A store that can only be read is served, with a warning."""
        try:
            problem = self._tree.look()
        except OSError as error:
            code = errno.errorcode.get(error.errno or 0, "")
            raise ConfigurationError(
                f"cannot use {error.filename or self._tree.root!r}: {error.strerror} ({code}; {user()})",
                key="storage.filesystem.rootdirectory",
            ) from error
        if problem:
            self._tree.once.warn("write", problem)

    def remove_if_empty(self, path: str) -> bool:
        try:
            calls.remove_folder(self._tree.full_path(path))
        except OSError:
            return False
        return True

    @again_if_stale
    def put_content(self, path: str, content: bytes, *, durable: bool = True) -> None:
        self._put(({path: content},), durable=durable)

    @again_if_stale
    def put_contents(self, *steps: Mapping[str, bytes], may_vanish: Collection[str] = ()) -> None:
        self._put(steps, may_vanish)

    def _put(
        self, steps: Sequence[Mapping[str, bytes]], may_vanish: Collection[str] = (), *, durable: bool = True
    ) -> None:
        with StagedFiles(self._tree, durable=durable) as staged:
            for step in steps:
                staged.add_step(step, may_vanish)
            if staged.commit():
                return
        for step in steps:  # others make and delete the same folders just now
            for path, content in step.items():
                with NewFile(self._tree, path, durable=durable, held=True) as writer:
                    writer.write(content)
                    writer.commit()

    @again_if_stale
    def get_content(self, path: str, limit: int = SMALL_FILE_MAX) -> bytes:
        """With the fewest calls: every request reads a link or two."""
        content = b""
        try:
            file = os.open(self._tree.full_path(path), calls.READ)
            try:
                size = PIECE
                while len(content) <= limit:
                    content += (piece := os.read(file, size))
                    if len(piece) < size:  # the file's end
                        break
                    size = len(content)
            finally:
                os.close(file)
        except OSError as error:
            raise self._tree.named_error(error, path) from error
        if len(content) > limit:
            raise self.too_large(path, limit)
        return content

    @again_if_stale
    def reader(self, path: str, start: int = 0, end: int | None = None) -> Content:
        with self._tree.named_errors(path):
            file = cast("BinaryIO", open(self._tree.full_path(path), "rb", buffering=0))  # noqa: SIM115
        try:
            size = os.fstat(file.fileno()).st_size
            if not 0 <= start <= size:
                raise InvalidOffset(f"offset {start} of {size} bytes", driver=self.name, path=path)
            file.seek(start)
        except BaseException:
            file.close()
            raise
        return FileContent(file, max(0, size - start if end is None else min(end, size) - start))

    @again_if_stale
    def writer(self, path: str, *, append: bool = False) -> FileWriter:
        return AppendedFile(self._tree, path) if append else NewFile(self._tree, path)

    def appended_size(self, path: str) -> int:
        return self.stat(path).size

    @again_if_stale
    def stat(self, path: str) -> FileInfo:
        try:
            status = os.stat(self._tree.full_path(path))
        except OSError as error:
            raise self._tree.named_error(error, path) from error
        is_folder = status.st_mode & 0o170000 == 0o040000
        return FileInfo(path, 0 if is_folder else status.st_size, status.st_mtime, is_folder)

    @again_if_stale
    def list(self, path: str) -> list[str]:
        with self._tree.named_errors(path):
            return os.listdir(self._tree.full_path(path))

    def folders_with(
        self, path: str, file: str, wanted: Callable[[str], object], *, after: str = ""
    ) -> Iterator[tuple[str, int]]:
        """By one system call a folder, which looks no further up than where it stands."""
        if os.stat not in os.supports_dir_fd:
            yield from super().folders_with(path, file, wanted, after=after)
            return
        from bisect import bisect_right

        folder = self._open_folder(path)
        try:
            names = self._listings.names(folder)
            for name in filter(wanted, names[bisect_right(names, after) :] if after else names):
                try:
                    size = os.stat(f"{name}/{file}", dir_fd=folder).st_size
                except OSError as error:
                    if error.errno not in ABSENT:
                        raise self._tree.named_error(error, f"{path}/{name}/{file}") from error
                else:
                    yield name, size
        finally:
            os.close(folder)

    def folder_states(self) -> Callable[[str], str]:
        return folder_states(self._tree.full_path)

    @again_if_stale
    def _open_folder(self, path: str) -> int:
        with self._tree.named_errors(path):
            return os.open(self._tree.full_path(path), calls.FOLDER)

    @again_if_stale
    def move(self, source: str, destination: str) -> None:
        with self._tree.named_errors(source):
            full = self._tree.full_path(source)
            self._tree.place(full, os.lstat(full), destination)

    @again_if_stale
    def delete(self, path: str, *, durable: bool = True) -> None:
        full = self._tree.full_path(path)
        if full == self._tree.root:
            raise InvalidPath("the root of the store cannot be deleted", driver=self.name, path=path)
        with self._tree.named_errors(path):
            self._tree.discard(full)
            if durable:
                with suppress(FileNotFoundError):  # deleted too, by another
                    self._tree.sync_folder(os.path.dirname(full))

    @again_if_stale
    def delete_if(self, path: str, holding: str, content: bytes) -> bool:
        from udist_plugin.drivers.filesystem.deletion import delete_if

        folder, file = self._tree.full_path(path), f"{path}/{holding}"
        with self._tree.named_errors(file):
            return delete_if(self._tree, folder, self._tree.full_path(file), content)


def _check_root(root: str) -> None:
    """Raises ``ConfigurationError`` where no folder can be. One that is missing is made by the first write,
    one that may not be looked at is each request's error."""
    try:
        os.stat(f"{root}/")
    except OSError as error:
        dangling = error.errno == errno.ENOENT and os.path.islink(root)
        if dangling or error.errno in INVALID:
            problem = f"expected a folder, not {root!r}: {error.strerror}"
            raise ConfigurationError(problem, key="storage.filesystem.rootdirectory") from None
