"""Files of ``FsspecDriver`` being read and written."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from udist_plugin.content import Content
from udist_plugin.drivers.base import FileWriter
from udist_plugin.drivers.fsspec.place import discard, entries, in_folder, named_errors
from udist_plugin.drivers.fsspec.settings import NAME
from udist_plugin.drivers.growing import GrowingWriter
from udist_plugin.errors import PathBusy, PathNotFound, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.drivers.fsspec.place import Place
    from udist_plugin.drivers.growing import Turns

PIECE: Final = 4 << 20
"""Bytes read at once. A file that others replace, a link or a manifest, is not larger."""

_SEGMENT: Final = re.compile(r"(\d{20})-[0-9a-f]{32}\.segment")


class Part(NamedTuple):
    """A range of a file, which is not empty."""

    path: str
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


class Parts(Content):
    """Ranges of files, one after the other. The first piece is read at once, and kept."""

    def __init__(self, place: Place, parts: Sequence[Part]) -> None:
        self.size = sum(part.size for part in parts)
        self._place = place
        self._left = [part for part in reversed(parts) if part.size]
        self._piece = memoryview(b"")
        self._fetch()

    def read(self, size: int = -1) -> bytes:
        wanted = self.size if size < 0 else min(size, self.size)
        data = bytearray()
        while len(data) < wanted:
            if not self._piece:
                self._fetch()
            taken = self._piece[: wanted - len(data)]
            self._piece = self._piece[len(taken) :]
            data += taken
        self.size -= wanted
        return bytes(data)

    def close(self) -> None:
        self._piece = memoryview(b"")

    def _fetch(self) -> None:
        if not self._left:
            return
        part = self._left.pop()
        end = min(part.end, part.start + PIECE)
        if end < part.end:
            self._left.append(part._replace(start=end))
        piece = self._place.run(part.path, lambda system, full: system.cat_file(full, part.start, end))
        if len(piece) != end - part.start:
            problem = f"{len(piece)} bytes came of the {end - part.start} from {part.start}"
            raise StorageUnavailable(problem, driver=NAME, path=part.path)
        self._piece = memoryview(piece)


class NewFile(FileWriter):
    """A temporary file until it is published. Its connection is free between the writes."""

    def __init__(self, place: Place, path: str) -> None:
        self.size = 0
        self._place = place
        self._path = path
        with named_errors(path), place.connections.one() as connection:
            self._connection = connection
            self._root = connection.root
            self._temporary = place.temporary(connection.root)
            in_folder(connection.system, self._temporary, self._open_file)
        self._open = True

    def _open_file(self) -> None:
        self._file = self._connection.system.open(self._temporary, "wb")

    def write(self, data: bytes | memoryview) -> None:
        with named_errors(self._path), self._connection.held():
            self._file.write(data)
            self.size += len(data)

    def commit(self, path: str | None = None) -> None:
        target = path or self._path
        self._place.check(target)
        try:
            with named_errors(target), self._connection.held() as system:
                self._file.close()
                self._look(system)
                self._place.publish(system, self._temporary, self._root + target)
                self._open = False
        finally:
            self.close()

    def cancel(self) -> None:
        self.close()

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        with suppress(StorageUnavailable), self._connection.held() as system:
            try:
                self._file.discard()
            except Exception:  # most have no way to drop a file, and publish it instead
                with suppress(Exception):  # nobody takes it for content
                    self._file.close()
            discard(system, self._temporary)

    def _look(self, system: Any) -> None:
        """Some file systems report no error of the last bytes when a file is closed."""
        system.invalidate_cache()
        if (size := system.info(self._temporary)["size"]) != self.size:
            raise StorageUnavailable(f"{size} bytes arrived of {self.size}", driver=NAME, path=self._path)


class AppendedFile(GrowingWriter[Part, NewFile]):
    """One of which each segment is a file of its own, ``<path>/<offset>-<mark>.segment``.

    Whether a file is made only where none stands cannot be trusted on every file system, so the name holds a
    mark that nobody else has. A writer looks before and after it puts its segment there, and takes it back
    if another has one that starts at the same offset or behind: of two, one or none stays.
    """

    def __init__(self, place: Place, turns: Turns, path: str) -> None:
        self._place = place
        place.check(path)
        super().__init__(turns, path)

    def _found(self) -> Sequence[Part]:
        return segments(self._place, self._path)

    def _begun(self) -> NewFile:
        return NewFile(self._place, self._path)

    def _published(self, added: NewFile) -> Part:
        offset = self._stored
        name = f"{offset:020}-{os.urandom(16).hex()}.segment"
        segment = f"{self._path}/{name}"
        if self._others(offset, ""):
            raise self._busy()
        added.commit(segment)
        if self._others(offset, name):
            with suppress(PathNotFound):
                self._place.remove(segment)
            raise self._busy()
        return Part(segment, 0, added.size)

    def _others(self, offset: int, own: str) -> list[str]:
        found = _names(self._place, self._path)
        return [name for name in found if name != own and int(name[:20]) >= offset]

    def _busy(self) -> PathBusy:
        return PathBusy("another writer has added to it; ask for its offset", driver=NAME, path=self._path)

    def _join(self, path: str) -> None:
        if len(self._segments) == 1 and path != self._path:
            self._place.move(self._segments[0].path, path)
        else:
            self._write_whole(path)
        if self._segments and path != self._path:
            self._delete()

    def _write_whole(self, path: str) -> None:
        with NewFile(self._place, path) as writer, Parts(self._place, self._segments) as content:
            while piece := content.read(PIECE):
                writer.write(piece)
            if path == self._path and self._segments:
                self._place.remove(self._path)
            writer.commit()

    def _delete(self) -> None:
        with suppress(PathNotFound):
            self._place.remove(self._path)


def segments(place: Place, path: str) -> list[Part]:
    """Those of a growing file, in order; none where nothing stands. Raises ``PathBusy`` for two at one
    offset, of which a writer that was killed left one."""
    parts: list[Part] = []
    size = 0
    for name, length in sorted(_names(place, path).items()):
        if (offset := int(name[:20])) < size:
            problem = "two writers have added to it at once; start the upload again"
            raise PathBusy(problem, driver=NAME, path=path)
        if offset == size:
            parts.append(Part(f"{path}/{name}", 0, length))
            size += length
    return parts


def _names(place: Place, path: str) -> dict[str, int]:
    """The segments that stand there, and their sizes."""
    try:
        found = place.run(path, entries)
    except PathNotFound:
        return {}
    return {name: int(each["size"]) for name, each in found.items() if _SEGMENT.fullmatch(name)}
