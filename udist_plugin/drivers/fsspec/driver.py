"""A folder of a file system that fsspec reaches, such as SFTP.

A file is written beside its place and published whole; see ``place``. What others write meanwhile is seen:
no listing is remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from udist_plugin.drivers.base import FileInfo, MemoryContent, StorageDriver
from udist_plugin.drivers.fsspec.files import PIECE, AppendedFile, NewFile, Part, Parts, segments
from udist_plugin.drivers.fsspec.place import Place, entries, info
from udist_plugin.drivers.fsspec.settings import NAME, settings
from udist_plugin.drivers.growing import Turns
from udist_plugin.errors import InvalidOffset, InvalidPath, PathNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from udist_plugin.content import Content
    from udist_plugin.drivers.base import FileWriter
    from udist_plugin.drivers.fsspec.settings import Settings

_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "modification_time", "created")
"""What file systems call the time of a file's last change."""


class FsspecDriver(StorageDriver):
    """Files below the URL's folder; see ``from_parameters`` for ``scratch``."""

    name = NAME
    lookups = 8

    def __init__(self, settings: Settings, scratch: str) -> None:
        self.settings = settings
        self._place = Place(settings, scratch)
        self._turns = Turns()

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object], *, scratch: str) -> Self:
        return cls(settings(parameters)[0], scratch)

    def probe(self) -> None:
        from udist_plugin.drivers.fsspec.probe import probe

        probe(self._place.connections, self.settings)

    def put_content(self, path: str, content: bytes, *, durable: bool = True) -> None:  # noqa: ARG002
        place = self._place
        place.run(path, lambda system, full: place.put(system, place.root_of(full, path), full, content))

    def reader(self, path: str, start: int = 0, end: int | None = None) -> Content:
        size, whole = self._place.run(path, _looked_at)
        if not 0 <= start <= size:
            raise InvalidOffset(f"offset {start} of {size} bytes", driver=NAME, path=path)
        if whole is not None:
            return MemoryContent(memoryview(whole)[start:end])
        return Parts(self._place, [Part(path, start, size if end is None else max(start, min(end, size)))])

    def writer(self, path: str, *, append: bool = False) -> FileWriter:
        self.check_path(path)
        return AppendedFile(self._place, self._turns, path) if append else NewFile(self._place, path)

    def appended(self, path: str) -> Content:
        return Parts(self._place, self._segments(path))

    def appended_size(self, path: str) -> int:
        return sum(part.end for part in self._segments(path))

    def _segments(self, path: str) -> list[Part]:
        if found := segments(self._place, path):
            return found
        raise PathNotFound("not found", driver=NAME, path=path)

    def stat(self, path: str) -> FileInfo:
        return self._place.run(path, lambda system, full: _file_info(system, full, path))

    def list(self, path: str) -> list[str]:
        return list(self._place.run(path, entries))

    def move(self, source: str, destination: str) -> None:
        self._place.move(source, destination)

    def delete(self, path: str, *, durable: bool = True) -> None:  # noqa: ARG002
        if self.check_path(path) == "/":
            raise InvalidPath("the root of the store cannot be deleted", driver=NAME, path=path)
        self._place.remove(path)

    def delete_if(self, path: str, holding: str, content: bytes) -> bool:
        """The file is read just before it goes: no file system that fsspec reaches deletes what holds a
        certain content, so one that is replaced in that moment can be lost."""
        file = f"{self.check_path(path)}/{holding}"
        with self.reader(file) as stored:
            if stored.size != len(content) or stored.read() != content:
                return False
        self._place.remove(file)
        self._place.run(path, lambda system, full: self._sweep(system, full, f"{full}/{holding}"))
        return True

    def _sweep(self, system: Any, full: str, but: str) -> None:
        """Deletes the files in a folder ``but`` one, and the folders that are left empty."""
        folders = []
        system.invalidate_cache()
        for folder, _, files in system.walk(full):
            folders.append(folder)
            for name in files:
                if f"{folder}/{name}" != but:
                    system.rm_file(f"{folder}/{name}")
        for folder in reversed(folders):
            self._place.prune(system, folder)

    def remove_if_empty(self, path: str) -> bool:
        return self._place.run(path, self._place.prune)

    def close(self) -> None:
        self._place.connections.close()


def _looked_at(system: Any, full: str) -> tuple[int, bytes | None]:
    """The size of a file; and all of it, if it is small: what was looked at may be replaced before it is
    read."""
    found = info(system, full)
    if found["type"] == "directory":
        raise IsADirectoryError(full)
    if not found["size"]:
        return 0, b""  # some services refuse a range of nothing
    if found["size"] < PIECE:
        whole = system.cat_file(full, 0, PIECE)
        if len(whole) < PIECE:
            return len(whole), whole
        found = info(system, full)
    return int(found["size"]), None


def _file_info(system: Any, full: str, path: str) -> FileInfo:
    from datetime import datetime

    found = info(system, full)
    is_folder = found["type"] == "directory"
    time = next((found[name] for name in _TIMES if found.get(name) is not None), None)
    if time is None and not is_folder:
        time = system.modified(full)
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    seconds = time.timestamp() if isinstance(time, datetime) else float(time or 0.0)
    return FileInfo(path, 0 if is_folder else int(found["size"]), seconds, is_folder)
