"""A tar+gzip back into a folder.

The archive is not trusted: it is unpacked into a folder of its own, where no entry can name a place outside,
no link can lead outside and nothing is written through a link; only when every byte was read and verified is
that folder put in place.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from udist_plugin.content import CHUNK_SIZE
from udist_plugin.errors import ArtifactError, DigestInvalid
from udist_plugin.images.placing import (
    beside,
    copy,
    create,
    is_folder,
    make_parents,
    parts_of,
    refuse_existing,
)
from udist_plugin.images.selection import DEPTH_MAX, leads_out
from udist_plugin.oci.digest import Digest, new_hash

if TYPE_CHECKING:
    import hashlib

    from udist_plugin.content import Readable

HEADER_MAX: Final = 1 << 20
"""The longest extended header accepted, in bytes: tarfile reads them whole."""

_EXTENDED = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)


def place_folder(
    content: Readable, title: str, target: str, *, content_digest: Digest | None, overwrite: bool
) -> None:
    """Unpacks ``content``, whose entries lie under ``title``, as the folder ``target``.

    A folder that exists is filled, not replaced. ``content_digest`` is the tar's own, checked when given.
    Raises ``ArtifactError``, ``DigestInvalid`` and whatever reading ``content`` raises; nothing is placed
    then.
    """
    inside = os.path.join(target, "-") if is_folder(target) else target
    with beside(inside) as staged:
        os.mkdir(staged)
        running = new_hash(content_digest.algorithm if content_digest else "sha256")
        try:
            _unpack(content, parts_of(title), staged, running)
        except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
            raise ArtifactError(f"not a tar+gzip archive: {error}", path=title) from None
        if content_digest and (actual := Digest.from_hash(running)) != content_digest:
            detail = {"title": title, "expected": content_digest, "actual": actual}
            raise DigestInvalid(detail, "the unpacked content does not match its digest")
        _refuse_conflicts(staged, target, overwrite=overwrite)
        _move(staged, target)


def _unpack(content: Readable, prefix: list[str], folder: str, running: hashlib._Hash) -> None:
    with gzip.GzipFile(fileobj=content) as compressed:  # type: ignore[call-overload]
        plain = _Hashing(compressed, running)
        with tarfile.open(fileobj=plain, mode="r|", tarinfo=BoundedEntry) as tar:  # type: ignore[call-overload]
            while (entry := tar.next()) is not None:
                tar.members.clear()  # tarfile keeps every entry otherwise
                _place(tar, entry, prefix, folder)
        while plain.read(CHUNK_SIZE):  # padding counts for the digests
            pass


def _place(tar: tarfile.TarFile, entry: tarfile.TarInfo, prefix: list[str], folder: str) -> None:
    parts = _inner_parts(entry.name, prefix)
    if entry.isdir():
        path = os.path.dirname(make_parents(folder, [*parts, "-"]))
        os.chmod(path, os.stat(path).st_mode & (entry.mode | 0o700) & 0o777)
        return
    if not parts:
        raise ArtifactError("the archive holds a file, not a folder", path=entry.name)
    path = make_parents(folder, parts)
    refuse_existing(path, overwrite=True)
    with suppress(FileNotFoundError):
        os.unlink(path)
    if entry.isreg():
        _write(tar, entry, path)
    elif entry.issym():
        if leads_out("/".join(parts), entry.linkname):
            raise ArtifactError(f"the link to {entry.linkname!r} points outside the folder", path=entry.name)
        os.symlink(entry.linkname, path)
    elif entry.islnk():
        os.link(_linked_file(entry, prefix, folder), path)


def _inner_parts(name: str, prefix: list[str]) -> list[str]:
    parts = parts_of(name)
    if parts[: len(prefix)] != prefix:
        raise ArtifactError(f"the entry lies outside {'/'.join(prefix)!r}", path=name)
    if len(parts) > DEPTH_MAX:
        raise ArtifactError(f"more than {DEPTH_MAX} folders deep", path=name)
    return parts[len(prefix) :]


def _write(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: str) -> None:
    content = tar.extractfile(entry)
    with create(path, entry.mode & 0o777) as out:
        if content is not None:
            copy(content, out)
    if entry.mtime > 0:  # a reproducible archive says 0
        with suppress(OSError, OverflowError):
            os.utime(path, (entry.mtime, entry.mtime))


def _linked_file(entry: tarfile.TarInfo, prefix: list[str], folder: str) -> str:
    parts = _inner_parts(entry.linkname, prefix)
    path = folder
    for part in parts[:-1]:
        path = os.path.join(path, part)
        if not is_folder(path):
            break
    else:
        path = os.path.join(path, *parts[-1:])
        if os.path.isfile(path) and not os.path.islink(path):
            return path
    raise ArtifactError(f"the target of the hard link, {entry.linkname!r}, is missing", path=entry.name)


def _refuse_conflicts(staged: str, target: str, *, overwrite: bool) -> None:
    if not is_folder(target):
        if os.path.lexists(target):
            raise ArtifactError("a file or a symbolic link is in the place of a folder", path=target)
        return
    with os.scandir(staged) as entries:
        for entry in entries:
            place = os.path.join(target, entry.name)
            if entry.is_dir(follow_symlinks=False):
                _refuse_conflicts(entry.path, place, overwrite=overwrite)
            else:
                refuse_existing(place, overwrite=overwrite)


def _move(staged: str, target: str) -> None:
    if not is_folder(target):
        os.rename(staged, target)
        return
    for name in os.listdir(staged):
        path, place = os.path.join(staged, name), os.path.join(target, name)
        if is_folder(path):
            _move(path, place)
        else:
            os.replace(path, place)


class BoundedEntry(tarfile.TarInfo):
    """An entry whose extended header has a bounded size."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        # tarfile's own hook for subclasses; fixes of its parser have gone round the public ``frombuf``.
        if self.type in _EXTENDED and not 0 <= self.size <= HEADER_MAX:
            raise tarfile.ReadError(f"an extended header of {self.size} bytes is too large")
        return super()._proc_member(tar)  # type: ignore[misc,no-any-return]


class _Hashing:
    """A binary file that is hashed while it is read."""

    def __init__(self, content: Readable, running: hashlib._Hash) -> None:
        self._content = content
        self._running = running

    def read(self, size: int = -1, /) -> bytes:
        data = self._content.read(size)
        self._running.update(data)
        return data
