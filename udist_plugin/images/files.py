"""Where the files of a layout are: in a folder, or in an archive (``archive.members``)."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from udist_plugin.content import FileContent
from udist_plugin.errors import LayoutInvalid
from udist_plugin.images.placing import beside, create

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, BinaryIO

    from udist_plugin.content import Content


class Files(Protocol):
    """Files by name, which is a relative path with slashes."""

    path: str

    def open(self, name: str) -> Content:
        """Raises ``FileNotFoundError``."""

    def close(self) -> None: ...


class Folder:
    """The files below the folder ``path``."""

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self, name: str) -> Content:
        file = open(self._at(name), "rb", buffering=0)  # noqa: SIM115
        return FileContent(file, os.fstat(file.fileno()).st_size)

    def size(self, name: str) -> int | None:
        """A file's size in bytes, ``None`` where there is none."""
        try:
            return os.stat(self._at(name)).st_size
        except FileNotFoundError:
            return None

    def names(self) -> set[str]:
        """What lies directly in the folder; nothing if it is not there yet."""
        try:
            return set(os.listdir(self.path))
        except FileNotFoundError:
            return set()

    @contextmanager
    def new(self, name: str) -> Iterator[BinaryIO]:
        """A file to write to, which appears when the block ends, in the place of what was there."""
        path = self._at(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with beside(path) as temporary:
            with create(temporary) as out:
                yield out
            os.replace(temporary, path)

    def close(self) -> None:
        """Nothing is held."""

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name)


def read_file(files: Files, name: str, limit: int) -> bytes:
    """A whole file. Raises ``FileNotFoundError``, and ``LayoutInvalid`` if it is longer than ``limit``
    bytes."""
    with files.open(name) as content:
        if content.size > limit:
            raise LayoutInvalid(f"{name} is larger than {limit} bytes", files.path)
        return content.read()


def from_start(file: IO[bytes], size: int) -> Content:
    """All ``size`` bytes of an open file, which stays open, and whose position moves with the content's."""
    raw = open(file.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115 - which the kernel can send
    raw.seek(0)
    return FileContent(raw, size)
