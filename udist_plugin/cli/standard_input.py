"""Standard input as a file to push."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager

from udist_plugin.errors import ArtifactError
from udist_plugin.images.placing import named
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

NAME: Final = "standard input"
PIECE: Final = 1 << 20
"""Bytes read at a time."""


@contextmanager
def spooled() -> Iterator[str]:
    """The path of a temporary file with all of standard input: a push needs the digest before the content."""
    if sys.stdin is None:
        raise ArtifactError("is closed", path=NAME)
    with tempfile.NamedTemporaryFile(prefix="udist-") as file:
        _copy(sys.stdin.buffer, file.name)
        yield file.name


def _copy(source: BinaryIO, path: str) -> None:
    with named(tempfile.gettempdir()), open(path, "wb") as file:
        while data := _read(source):
            file.write(data)


def _read(source: BinaryIO) -> bytes:
    with named(NAME):
        return source.read(PIECE)
