"""What a storage driver is: distribution's verbs over a tree of files, with typed errors.

Paths are absolute, slash-separated and canonical, of letters, digits and ``._-``; ``/`` is the root of the
store. Any verb may raise ``InvalidPath``, ``StorageFull`` or ``StorageError``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

from udist_plugin.content import Content
from udist_plugin.errors import FileTooLarge, InvalidPath, PathNotFound
from udist_plugin.typed import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import BinaryIO, Self

    from udist_plugin.content import Shareable
    from udist_plugin.drivers.once import Record

LOCK_WAIT = 5.0
"""Seconds to wait for another writer: a request that was cut may still be writing what it had."""

SMALL_FILE_MAX = 8 << 20
"""What ``get_content`` reads at most unless told otherwise, in bytes: twice the largest manifest."""

PATHS_KEPT = 1024
"""Paths of which is kept whether they are canonical: most are used more than once."""

LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


class FileInfo:
    """What stands at ``path``: ``size`` in bytes (0 for a folder), ``modified`` in seconds since 1970."""

    def __init__(self, path: str, size: int, modified: float, is_folder: bool = False) -> None:
        self.path = path
        self.size = size
        self.modified = modified
        self.is_folder = is_folder


class MemoryContent(Content):
    """Bytes that nobody changes any more."""

    def __init__(self, view: memoryview) -> None:
        self.size = len(view)
        self._view = view

    def read(self, size: int = -1) -> bytes:
        size = self.size if size < 0 else min(size, self.size)
        data = bytes(self._view[:size])
        self._view = self._view[size:]
        self.size -= size
        return data


class FileWriter(ABC):
    """A file being written. Use it as a context manager, or close it.

    ``size`` is the number of bytes that stand in the file, those of earlier writers included.
    """

    size: int
    exclusive: bool = True
    """Whether nobody else can write to the file. If others can, only a copy of it is sure to have the digest
    that was found."""

    @property
    def version(self) -> str:
        """Names the bytes that stand in the file, where another writer's may have taken their place."""
        return ""

    @abstractmethod
    def write(self, data: bytes | memoryview) -> None:
        """Appends all of ``data``; after an error ``size`` says how much of it arrived."""

    def share(self, source: Shareable) -> bool:  # noqa: ARG002
        """Takes all of ``source`` without copying it, as ``source.share`` does. ``False``, and nothing has
        changed, where that cannot be done."""
        return False

    def written(self) -> BinaryIO | None:
        """The file that holds what is written, opened once more to read it as it grows, if there is one."""
        return None

    @abstractmethod
    def commit(self, path: str | None = None) -> None:
        """Makes the file durable and visible, at ``path`` when given, and closes the writer."""

    @abstractmethod
    def cancel(self) -> None:
        """Drops the file and closes the writer."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of the file; twice is once. See ``StorageDriver.writer`` for what stays."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Growing:
    """A file that grows, as it was found: of ``size`` bytes, 0 if nothing has been written yet, and of a
    ``version``, see ``FileWriter``.

    What is done with it may rely on what was found, where it would take a request to look again.
    """

    def __init__(self, driver: StorageDriver, path: str, size: int, version: str = "") -> None:
        self.size = size
        self.version = version
        self._driver = driver
        self._path = path

    def writer(self) -> FileWriter:
        """See ``StorageDriver.writer``."""
        return self._driver.writer(self._path, append=True)

    def drop(self) -> None:
        """Deletes the folder that it is in. Raises ``PathNotFound``."""
        self._driver.delete(self._path.rpartition("/")[0], durable=False)


class StorageDriver(ABC):
    """A tree of files somewhere. Every verb may be called from any thread."""

    name: ClassVar[str]
    lookups: ClassVar[int] = 1
    """Small files that one request does well to ask for at once: one where they do not leave the machine."""

    checkup: ClassVar[str] = ""
    """Of a driver from another package: the module whose ``problems`` and ``steps`` say what
    ``udist config check`` and ``udist doctor`` look at, if there is one; see ``drivers.problems`` and
    ``drivers.further_steps``."""

    has_folders: ClassVar[bool] = True
    """Whether a folder is more than what files have in common in their paths."""

    in_memory: ClassVar[bool] = False
    """Whether the files are this process's alone. A child that is forked keeps its copy of them; of any other
    driver it opens its own, as the parent's threads, locks and connections are not to be shared."""

    @classmethod
    @abstractmethod
    def from_parameters(cls, parameters: Mapping[str, object], *, scratch: str) -> Self:
        """The driver for a section of the configuration: typed values by the names of its keys.

        ``scratch`` is a folder of the tree that the driver may keep files in while they are written, under
        names that begin with 16 random hexadecimal digits; nobody else reads there. Raises
        ``ConfigurationError``.
        """

    def get_content(self, path: str, limit: int = SMALL_FILE_MAX) -> bytes:
        """A small file, whole. Raises ``PathNotFound``, or ``FileTooLarge`` when it exceeds ``limit``."""
        with self.reader(path) as content:
            if content.size > limit:
                raise self.too_large(path, limit)
            return content.read()

    def too_large(self, path: str, limit: int) -> FileTooLarge:
        """What ``get_content`` raises."""
        return FileTooLarge(f"more bytes than the {limit} that belong", driver=self.name, path=path)

    @abstractmethod
    def put_content(self, path: str, content: bytes, *, durable: bool = True) -> None:
        """Makes or replaces a file at once: a reader sees the old content or the new, never a part.

        ``durable`` is off for what may be lost with the power without harm.
        """

    def put_contents(self, *steps: Mapping[str, bytes], may_vanish: Collection[str] = ()) -> None:  # noqa: ARG002
        """Makes or replaces small files, by path, in steps: each is durable before the next one begins, but
        for those of the paths in ``may_vanish``, which stand whole or not at all after a loss of power.

        The files of a step appear in their order; of a step under way a loss of power leaves any, each whole.
        A folder that did not stand may appear with all its files at once, in the step of the last of them.
        """
        for step in steps:
            for path, content in step.items():
                self.put_content(path, content)

    @abstractmethod
    def reader(self, path: str, start: int = 0, end: int | None = None) -> Content:
        """The bytes from ``start`` up to, not including, ``end``.

        Raises ``PathNotFound``, and ``InvalidOffset`` when ``start`` lies behind the end of the file.
        """

    @abstractmethod
    def writer(self, path: str, *, append: bool = False) -> FileWriter:
        """A writer of new content, or one that goes on where the last left off.

        New content is invisible until it is committed, and dropped by a close without commit. With
        ``append`` a close keeps what was written for the next writer, and there is one writer at a time:
        raises ``PathBusy`` when another does not let go.
        """

    def appended(self, path: str) -> Content:
        """What writers with ``append`` have left at ``path`` so far. Raises ``PathNotFound``.

        The other verbs need not see it before it is committed.
        """
        return self.reader(path)

    def appended_size(self, path: str) -> int:
        """How many bytes ``appended`` has. Raises ``PathNotFound``."""
        with self.appended(path) as content:
            return content.size

    def growing(self, path: str, beside: str) -> Growing:
        """The file that writers with ``append`` add to, or will. Raises ``PathNotFound`` unless the file
        ``beside`` stands in the same folder."""
        if not self.stands(f"{path.rpartition('/')[0]}/{beside}"):
            raise PathNotFound("not found", driver=self.name, path=path)
        try:
            size = self.appended_size(path)
        except PathNotFound:
            size = 0
        return Growing(self, path, size)

    @abstractmethod
    def stat(self, path: str) -> FileInfo:
        """Raises ``PathNotFound``."""

    @abstractmethod
    def list(self, path: str) -> list[str]:
        """The names of what stands in a folder, in no order. Raises ``PathNotFound``."""

    def names(self, path: str, *, after: str = "") -> Iterator[str]:
        """As ``list``, in the order of characters, from behind ``after``, fetched as asked for."""
        return (name for name in sorted(self.list(path)) if name > after)

    def folders(self, path: str, *, after: str = "") -> Iterator[str]:
        """The ``names`` of folders. Where there are real folders, files may be among them."""
        return self.names(path, after=after)

    def folders_with(
        self, path: str, file: str, wanted: Callable[[str], object], *, after: str = ""
    ) -> Iterator[tuple[str, int]]:
        """The ``folders`` that hold a file, whose names are ``wanted``, each with the size of that file."""
        for name in filter(wanted, self.folders(path, after=after)):
            try:
                yield name, self.stat(f"{path}/{name}/{file}").size
            except (PathNotFound, InvalidPath):  # the latter where anything else stands in its place
                continue

    def files(self, path: str, *, after: str = "") -> Iterator[str]:
        """Every file below a folder, however deep: paths from there, in the order of their characters, from
        behind ``after``, fetched as asked for. Only of drivers without real folders."""
        raise NotImplementedError

    def files_with_md5(self, path: str) -> Iterator[tuple[str, str]]:
        """As ``files``, each with what tells only this: the file holds the bytes of which it is the MD5 in
        hexadecimal, if there are any."""
        return ((found, "") for found in self.files(path))

    def folder_states(self) -> Callable[[str], str]:
        """A function for the next minutes that says in what state a folder is: as long as it is the same,
        nothing was added to the folder or removed. It is empty where that is not sure, or yet to be seen, but
        not for a folder that is absent."""
        return lambda _: ""

    @abstractmethod
    def move(self, source: str, destination: str) -> None:
        """Moves a file, replacing what stands at ``destination``; durable. Raises ``PathNotFound``."""

    def copy(self, source: str, destination: str) -> None:
        """Makes ``destination`` hold what ``source`` does, in the store itself. Raises ``PathNotFound``.

        Only of drivers without real folders, where a move is a copy and a deletion.
        """
        raise NotImplementedError

    def move_if(self, source: str, destination: str, is_right: Callable[[], bool]) -> bool:
        """As ``copy``, and then deletes ``source`` if ``is_right``; whether it did. Of the same drivers.

        What replaces ``source`` meanwhile stays if the store ``compares``.
        """
        raise NotImplementedError

    def compares(self, folder: str) -> bool:
        """Whether the store deletes nothing that was replaced since it was looked at, which is tried with a
        file in ``folder``. Of the same drivers."""
        raise NotImplementedError

    @abstractmethod
    def delete(self, path: str, *, durable: bool = True) -> None:
        """Deletes a file, or a folder with all in it. Raises ``PathNotFound``."""

    @abstractmethod
    def delete_if(self, path: str, holding: str, content: bytes) -> bool:
        """Deletes a folder with all in it if the file ``holding`` in it holds ``content``; durable.

        That file, which only ``put_content`` and ``put_contents`` make, goes first, and not if it holds
        something else by then: this returns ``False`` and changes nothing. One that others put there
        afterwards stays, and the folder with it. Raises ``PathNotFound`` when the file does not stand.
        """

    def url_for(self, path: str) -> str | None:  # noqa: ARG002
        """A URL that serves the file to whoever has it, or ``None``."""
        return None

    def probe(self) -> None:
        """Looks whether the store can be used, within some seconds.

        Raises ``ConfigurationError`` with what is wrong, and the key or permission that mends it.
        """

    def remove_if_empty(self, path: str) -> bool:  # noqa: ARG002
        """Deletes a folder if it holds nothing, and returns whether it did. Of drivers without real folders
        there are none."""
        return False

    def wait_within(self, context: Callable[[], AbstractContextManager[None]]) -> bool:  # noqa: ARG002
        """From now on the driver waits for disks within ``context``. ``False`` if it may wait for more: a
        service, or another machine."""
        return False

    def start(self, record: Record) -> None:
        """From now on ``record`` takes what there is to say about the store."""

    def close(self) -> None:
        """The driver is not used any more; twice is once."""

    def purge(self, folder: str, age: float) -> None:
        """Drops what writers below ``folder`` left, more than ``age`` seconds ago, where no path leads to."""

    def exists(self, path: str) -> bool:
        """Whether anything stands at the path: below a file nothing does."""
        try:
            self.stat(path)
        except (PathNotFound, InvalidPath):
            return False
        return True

    def stands(self, path: str) -> bool:
        """As ``exists``, of a path where nothing but a file can stand."""
        return self.exists(path)

    def check_path(self, path: str) -> str:
        """``path`` itself; raises ``InvalidPath`` unless it is absolute and canonical."""
        return check_path(path, self.name)


def check_path(path: str, driver: str) -> str:
    """``path`` itself; raises ``InvalidPath`` unless it is absolute and canonical."""
    if path != "/" and not _is_canonical(path):
        raise InvalidPath(
            "expected an absolute path of letters, digits, dots, underscores and hyphens, without . or ..",
            driver=driver,
            path=repr(path[:512]),
        )
    return path


@lru_cache(PATHS_KEPT)
def _is_canonical(path: str) -> bool:
    root, *names = path.split("/")
    return (
        not root
        and bool(names)
        and all(name not in ("", ".", "..") and LETTERS.issuperset(name) for name in names)
    )
