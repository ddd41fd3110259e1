"""Where an artifact's files go: never outside the folder that was asked for, and whole or not at all."""

from __future__ import annotations

import io
import os
import posixpath
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from udist_plugin.content import can_share, chunks
from udist_plugin.errors import ArtifactError, RegistryError, TransportError
from udist_plugin.images.sparse import SparseFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, BinaryIO

    from udist_plugin.content import Readable

_FORBIDDEN = "\0" if os.name != "nt" else '\0\\:*?"<>|'
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def parts_of(name: str) -> list[str]:
    """The parts of a relative path as archives and annotations write it; none for ``.``.

    Raises ``ArtifactError`` for one that is absolute, climbs, or has letters no file name has here.
    """
    if name.startswith("/") or ".." in name.split("/") or any(letter in _FORBIDDEN for letter in name):
        raise ArtifactError("not a relative path inside the output folder", path=name)
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise ArtifactError("no file can have this name in the locale's encoding", path=ascii(name)) from None
    normal = posixpath.normpath(name)
    return [] if normal == "." else normal.split("/")


def make_parents(root: str, parts: list[str]) -> str:
    """Makes the folders that ``parts`` lies in under ``root``, and returns its path.

    Raises ``ArtifactError`` where a file or a symbolic link stands in a folder's place.
    """
    path = root
    for part in parts[:-1]:
        path = os.path.join(path, part)
        with suppress(FileExistsError):
            os.mkdir(path)
        if not is_folder(path):
            raise ArtifactError("a file or a symbolic link is in the place of a folder", path=path)
    return os.path.join(path, parts[-1]) if parts else path


def is_folder(path: str) -> bool:
    """Whether a folder, not a link to one, stands at ``path``."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def is_device(path: str) -> bool:
    """Whether a device or pipe, or a link to one, stands at ``path``: it is written to, not replaced."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def create(path: str, mode: int = 0o666) -> BinaryIO:
    """A new file, with ``mode`` as the umask allows and holes for zeros. Raises ``FileExistsError``."""
    new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW
    return io.BufferedWriter(SparseFile(os.open(path, new, mode)))


def copy(content: Readable, out: IO[bytes]) -> None:
    """All of ``content``, a chunk at a time."""
    for chunk in chunks(content):
        try:
            out.write(chunk.view)
        finally:
            chunk.release()


def read_through(content: Readable) -> None:
    """Reads all of ``content``, which verifies it."""
    for chunk in chunks(content):
        chunk.release()


def place_file(content: Readable, target: str, *, overwrite: bool) -> None:
    """Writes ``content`` to ``target``, which is there when all of it was read and not before."""
    refuse_existing(target, overwrite=overwrite)
    with beside(target) as temporary:
        with create(temporary) as out:
            if can_share(content) and content.share(out.fileno()):
                read_through(content)
            else:
                copy(content, out)
        refuse_existing(target, overwrite=overwrite)
        os.replace(temporary, target)


def refuse_existing(target: str, *, overwrite: bool) -> None:
    """Raises ``ArtifactError`` when something stands at ``target`` that may not be replaced by a file."""
    if is_folder(target):
        raise ArtifactError("a folder is in the place of a file", path=target)
    if not overwrite and os.path.lexists(target):
        raise ArtifactError("exists already", path=target)


@contextmanager
def beside(target: str) -> Iterator[str]:
    """A name in ``target``'s folder that nothing has, and nothing has afterwards."""
    import secrets
    import shutil

    temporary = os.path.join(os.path.dirname(target), f".udist-{secrets.token_hex(8)}")
    try:
        with named(target):
            yield temporary
    except OSError as error:
        if isinstance(error.filename, str):  # users know nothing of the temporary one
            error.filename = error.filename.replace(temporary, target)
        raise
    finally:
        if is_folder(temporary):
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


@contextmanager
def noted(doing: str, title: str) -> Iterator[None]:
    """Errors that name no file, as those of the registry, get a note that does."""
    try:
        yield
    except (RegistryError, TransportError) as error:
        if not hasattr(error, "__notes__"):  # a plugin that dies fails all files with one error
            error.add_note(f"{doing} {title}")
        raise


@contextmanager
def named(path: str) -> Iterator[None]:
    """Errors of the operating system that name no file, as those of writing to one, name ``path``."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = path
        raise
