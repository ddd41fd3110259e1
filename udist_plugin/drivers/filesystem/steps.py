"""How the filesystem driver writes several small files at once, in steps.

A folder that does not stand yet is built in the scratch folder and appears by one rename, with all it holds:
that takes fewer syncs than one file after the other, and nobody sees a part of it.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.holding import holding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from udist_plugin.drivers.filesystem.tree import Tree

_OVERTAKEN = {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.EACCES}
"""What a rename says after others made or deleted a folder; the last of them is Windows'."""


class StagedFiles:
    """Files out of sight until they are committed; a context manager, which drops what was not.

    A *target* is what one rename makes: a file, or the highest folder above it that does not stand yet.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._sources: dict[str, str] = {}  # by target
        self._steps: list[dict[str, str]] = []  # targets of each step, with the path to name in an error
        self._folders: dict[str, None] = {}  # made in the scratch folder, the upper before the lower
        with tree.named_errors(tree.scratch):
            self._scratch = tree.scratch_path()

    def add_step(self, step: Mapping[str, bytes]) -> None:
        """Writes the files of a step; those of a new folder come into sight with the last of them."""
        targets: dict[str, str] = {}
        for path, content in step.items():
            with self._tree.named_errors(path):
                targets[self._stage(self._tree.full_path(path), content)] = path
        for earlier in self._steps:
            for target in targets:
                earlier.pop(target, None)
        self._steps.append(targets)

    def commit(self) -> bool:
        """Makes the files visible and durable, step by step; false where others changed the folders."""
        with self._tree.named_errors("/"):
            for folder in reversed(self._folders):
                self._tree.sync_folder(folder)
        for step in self._steps:
            for target, path in step.items():
                with self._tree.named_errors(path):
                    if not self._place(target):
                        return False
            with self._tree.named_errors("/"):
                self._tree.sync_above(step)
        return True

    def _stage(self, full: str, content: bytes) -> str:
        """Writes a file that is to stand at ``full``, and returns its target."""
        target = _highest_missing(full)
        above = self._tree.nearest_folder(target)
        source = self._sources.setdefault(target, f"{self._scratch}.{len(self._sources)}")
        file = source + full[len(target) :]
        if file != source:
            self._make_folders(os.path.dirname(file), source, above)
        descriptor = calls.create(file)
        try:
            calls.adopt(file, above)
            for _ in calls.write_all(descriptor, content):
                pass
            calls.sync(descriptor)
        finally:
            os.close(descriptor)
        return target

    def _make_folders(self, folder: str, highest: str, above: os.stat_result) -> None:
        if folder in self._folders:
            return
        if folder != highest:
            self._make_folders(os.path.dirname(folder), highest, above)
        calls.make_folder(folder)
        calls.adopt(folder, above)
        self._folders[folder] = None

    def _place(self, target: str) -> bool:
        try:
            with holding(os.path.dirname(target)):
                calls.rename(self._sources[target], target)
        except OSError as error:
            if error.errno in _OVERTAKEN:
                return False
            raise
        del self._sources[target]
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for source in self._sources.values():
            with suppress(OSError):  # what stays is purged
                if source in self._folders:
                    calls.remove_tree(source)
                else:
                    calls.unlink(source)


def _highest_missing(full: str) -> str:
    """``full``, or the highest folder above it that does not stand."""
    while not os.path.lexists(above := os.path.dirname(full)):
        full = above
    return full
