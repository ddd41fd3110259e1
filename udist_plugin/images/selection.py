"""What of a folder is packed."""

from __future__ import annotations

import errno
import os
import re
import stat
from fnmatch import translate
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import SourceInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEPTH_MAX: Final = 256
"""How deep folders may lie in one another."""


class Selection(NamedTuple):
    """What of a folder is packed: all of it by default.

    ``exclude`` are patterns of ``fnmatch``. One without a slash matches names at any depth, one with a slash
    matches paths relative to the folder; one that ends in a slash matches only folders. What lies in an
    excluded folder is excluded, too. ``skip_special`` leaves out what is no file, folder or symbolic link.
    ``dereference`` packs what symbolic links lead to instead of the links.
    """

    exclude: tuple[str, ...] = ()
    skip_special: bool = False
    dereference: bool = False


ALL = Selection()


class Entry(NamedTuple):
    """Something to pack: where it is, its path inside the folder (empty for the folder itself), and its
    status."""

    path: str
    inner: str
    status: os.stat_result


def entries(folder: str, selection: Selection, refuse: Callable[[SourceInvalid], None]) -> Iterator[Entry]:
    """The folder and what lies in it, in lexical order. What cannot be packed goes to ``refuse`` instead."""
    return _Walk(selection, refuse).entries(folder, "", ())


class _Walk:
    def __init__(self, selection: Selection, refuse: Callable[[SourceInvalid], None]) -> None:
        self._selection = selection
        self._refuse = refuse
        self._excluded = [_matcher(pattern) for pattern in selection.exclude]

    def entries(self, path: str, inner: str, above: tuple[tuple[int, int], ...]) -> Iterator[Entry]:
        """``above`` has the device and inode number of each folder that leads here."""
        try:
            status = os.stat(path) if self._selection.dereference or not inner else os.lstat(path)
            if inner and self._is_excluded(inner, status.st_mode):
                return
            problem = self._problem(path, inner, status, above)
            names = sorted(os.listdir(path)) if not problem and stat.S_ISDIR(status.st_mode) else []
        except OSError as error:
            problem = (
                "the link leads nowhere" if inner and os.path.islink(path) else error.strerror or str(error)
            )
            if inner and self._is_excluded(inner, stat.S_IFREG):
                return
        if problem:
            self._refuse(SourceInvalid(problem, path=path))
            return
        yield Entry(path, inner, status)
        here = (*above, (status.st_dev, status.st_ino))
        for name in names:
            yield from self.entries(os.path.join(path, name), f"{inner}/{name}" if inner else name, here)

    def _is_excluded(self, inner: str, mode: int) -> bool:
        if any(matches(inner, stat.S_ISDIR(mode)) for matches in self._excluded):
            return True
        plain = stat.S_ISDIR(mode) or stat.S_ISREG(mode) or stat.S_ISLNK(mode)
        return self._selection.skip_special and not plain

    def _problem(
        self, path: str, inner: str, status: os.stat_result, above: tuple[tuple[int, int], ...]
    ) -> str | None:
        if len(above) > DEPTH_MAX:
            return f"more than {DEPTH_MAX} folders deep"
        if stat.S_ISDIR(status.st_mode):
            loops = (status.st_dev, status.st_ino) in above
            return "the link leads back to a folder that it lies in; exclude it" if loops else None
        if stat.S_ISREG(status.st_mode):
            return None if os.access(path, os.R_OK) else os.strerror(errno.EACCES)
        if stat.S_ISLNK(status.st_mode):
            link = os.readlink(path).replace(os.sep, "/")
            out = leads_out(inner, link)
            return (
                f"the link to {link!r} points outside the folder; exclude or dereference it" if out else None
            )
        if not inner:
            return "neither a file nor a folder"
        return "neither a file, a folder nor a symbolic link; exclude it or skip special files"


def leads_out(inner: str, link: str) -> bool:
    """Whether a symbolic link at ``inner`` leads, or may lead, out of its folder.

    ``..`` is only understood at the start: behind a name, which may be a link itself, it could mean
    any place.
    """
    parts = [part for part in link.split("/") if part not in ("", ".")]
    up = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return link.startswith("/") or ".." in parts[up:] or up > inner.count("/")


def _matcher(pattern: str) -> Callable[[str, bool], bool]:
    """Whether a path, of a folder or not, matches."""
    only_folders, plain = pattern.endswith("/"), pattern.rstrip("/")
    matches = re.compile(translate(plain.removeprefix("/"))).match

    def match(inner: str, is_folder: bool) -> bool:
        subject = inner if "/" in plain else inner.rpartition("/")[2]
        return (is_folder or not only_folders) and matches(subject) is not None

    return match
