"""Deleting a file only while it holds what the caller expects.

No call of POSIX compares and deletes, so two things together keep what others put there meanwhile:

- ``put_content`` and ``put_contents`` rename a file into a folder that stands while they hold the folder
  together with other writers, a deletion holds it alone from its look at the file until the file is gone. A
  process that is killed holds nothing any more, and has either deleted what it looked at or done nothing.
  Readers take no part: the file is there for them up to the moment it is deleted. Nor does a file that comes
  with its folder: no deletion can have looked at it.
- Some writers take no lock: stock servers, anybody on a file system without locks, ``writer`` and ``move``,
  and whoever looked up a folder that is replaced just then. So the file is renamed aside, and looked at once
  more where nobody else finds it. What turns out to be another's is put back, unless something newer stands
  there by then. Of these writers alone a file could be lost, to a kill between those two renames.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.holding import holding
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.drivers.filesystem.tree import Tree

_FILLED = {errno.ENOTEMPTY, errno.EEXIST}


def delete_if(tree: Tree, folder: str, file: str, content: bytes) -> bool:
    """See ``StorageDriver.delete_if``; ``file`` stands below ``folder``."""
    if os.path.islink(folder):  # what it leads to is not ours to delete
        if not _holds(file, content):
            return False
        tree.discard(folder)
        tree.sync_folder(os.path.dirname(folder))
        return True
    if not _take(tree, file, content):
        return False
    try:
        _clear(tree, folder, file)
        tree.sync_folder(os.path.dirname(folder))
    except FileNotFoundError:
        pass  # deleted by another
    except OSError as error:  # without the file, the rest says nothing to anybody
        tree.once.warn("clear", f"{error.filename or folder}: {error.strerror}; it is left, without effect")
    return True


def _take(tree: Tree, file: str, content: bytes) -> bool:
    """Deletes a file if it holds ``content``."""
    folder = os.path.dirname(file)
    with holding(folder, alone=True):
        if not _holds(file, content):
            return False
        hidden = tree.hide(file)
        expected = hidden == file or os.path.islink(hidden) or _holds(hidden, content)
        if not expected:
            _put_back(hidden, file)
        else:
            tree.drop(calls.unlink, hidden, file)
    with suppress(FileNotFoundError):
        tree.sync_folder(folder)
    return expected


def _holds(file: str, content: bytes) -> bool:
    with open(file, "rb") as stream:
        return stream.read(len(content) + 1) == content


def _put_back(hidden: str, file: str) -> None:
    try:
        calls.link(hidden, file)
    except FileExistsError:
        pass  # what stands there is newer
    except OSError:  # no hard links here
        calls.rename(hidden, file)
        return
    calls.unlink(hidden)


def _clear(tree: Tree, folder: str, file: str) -> None:
    """Deletes a folder with all in it, but for ``file`` and what leads there if it stands again."""
    kept = file[len(folder) + 1 :].partition("/")[0]
    for name in os.listdir(folder):
        if name != kept:
            with suppress(FileNotFoundError):
                tree.discard(f"{folder}/{name}")
        elif f"{folder}/{name}" != file:
            _clear(tree, f"{folder}/{name}", file)
    try:
        with holding(folder, alone=True):  # no writer is about to put a file there
            calls.remove_folder(folder)
    except OSError as error:
        if error.errno not in _FILLED:
            raise
