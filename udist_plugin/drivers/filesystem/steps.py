"""How the filesystem driver writes several small files at once, in steps.

A folder that does not stand yet is built in the scratch folder and appears by one rename, with all it holds:
that takes fewer syncs than one file after the other, and nobody sees a part of it.
"""

from __future__ import annotations

import errno
import os
from contextlib import nullcontext, suppress

from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.holding import holding
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from udist_plugin.drivers.filesystem.tree import Tree

_OVERTAKEN = {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.EACCES} | calls.UNSURE
"""What a rename says after others made or deleted a folder, EACCES on Windows; or of which it is not known
whether it was done. Either way the files are written again, one after the other."""


class StagedFiles:
    """Files out of sight until they are committed; a context manager, which drops what was not.

    A *target* is what one rename makes: a file, or the highest folder above it that does not stand yet.
    """

    def __init__(self, tree: Tree, *, durable: bool = True) -> None:
        self._tree = tree
        self._durable = durable
        self._scratch = tree.scratch_path()
        self._sources: dict[str, str] = {}  # by target
        self._above: dict[str, os.stat_result] = {}  # the folder that a target is to stand in
        self._steps: list[dict[str, str]] = []  # targets of each step, with the path to name in an error
        self._folders: set[str] = set()  # made in the scratch folder
        self._lasting: set[str] = set()  # targets, and folders in the scratch folder, to be synced
        self._alike: set[tuple[bool, int, int, int]] = set()  # what need not adopt anything

    def add_step(self, step: Mapping[str, bytes], may_vanish: Collection[str] = ()) -> None:
        """Writes the files of a step; those of a new folder come into sight with the last of them. See
        ``StorageDriver.put_contents``."""
        targets: dict[str, str] = {}
        for path, content in step.items():
            with self._tree.named_errors(path):
                target, staged = self._stage(self._tree.full_path(path), content)
            targets[target] = path
            if self._durable and path not in may_vanish:
                self._lasting.add(target)
                self._lasting.update(self._folders_of(staged))
        for earlier in self._steps:
            for target in targets:
                earlier.pop(target, None)
        self._steps.append(targets)

    def commit(self) -> bool:
        """Makes the files visible and durable, step by step; false where others changed the folders."""
        with self._tree.named_errors("/"):
            for folder in self._folders & self._lasting:
                self._tree.sync_folder(folder)
        for step in self._steps:
            for target, path in step.items():
                with self._tree.named_errors(path):
                    if not self._place(target):
                        return False
            with self._tree.named_errors("/"):
                self._tree.sync_above(target for target in step if target in self._lasting)
        return True

    def _stage(self, full: str, content: bytes) -> tuple[str, str]:
        """Writes a file that is to stand at ``full``, and returns its target, and where it is now."""
        target = next((each for each in self._above if full.startswith(f"{each}/")), "")
        if not target:
            target, above = self._tree.missing_from(full)
            self._above[target] = above
        source = self._sources.setdefault(target, f"{self._scratch}.{len(self._sources)}")
        file = source + full[len(target) :]
        if file != source:
            self._make_folders(os.path.dirname(file), source, target)
        descriptor = self._tree.create(file)
        try:
            self._adopt(descriptor, target)
            for _ in calls.write_all(descriptor, content):
                pass
            if self._durable:
                self._tree.sync(calls.sync, descriptor)
        finally:
            calls.close(descriptor)
        return target, file

    def _make_folders(self, folder: str, source: str, target: str) -> None:
        """Makes a folder in the scratch folder: ``source``, or one below it."""
        if folder in self._folders:
            return
        if folder != source:
            self._make_folders(os.path.dirname(folder), source, target)
        with suppress(FileExistsError):  # made by a request whose answer was lost: the name is random
            self._tree.in_scratch(lambda: calls.make_folder(folder))
        self._folders.add(folder)
        self._adopt(folder, target)

    def _adopt(self, new: str | int, target: str) -> None:
        """As ``calls.adopt``; asked once of all that is made alike."""
        above = self._above[target]
        kind = (isinstance(new, str), above.st_mode, above.st_uid, above.st_gid)
        if kind not in self._alike and calls.adopt(new, above):
            self._alike.add(kind)

    def _folders_of(self, staged: str) -> Iterator[str]:
        """The folders that were made for a file."""
        while (staged := os.path.dirname(staged)) in self._folders:
            yield staged

    def _place(self, target: str) -> bool:
        source = self._sources[target]
        try:
            # Nobody can be about to delete a file that comes with its folder.
            with nullcontext() if source in self._folders else holding(os.path.dirname(target)):
                calls.rename(source, target)
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
