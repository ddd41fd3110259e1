"""A file system that loses power, as POSIX allows it to.

``Recording`` notes every call that changes files. ``Disk`` replays some of them and tells what may be left: a
folder's entry that was not synced may be there or not, and so may bytes that were not synced, or zeros in
their place. A rename is one change, durable with either folder; only its source may reappear when nobody
synced that one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    import pytest

    from udist_plugin.content import Shareable


Left = dict[str, bytes | None]
"""Files and folders by their path below the root; ``None`` is a folder."""


class Event(NamedTuple):
    """One call: ``path`` is where it happened, ``file`` stands for the file that was open there."""

    verb: str
    path: str = ""
    other: str = ""
    file: int = 0
    data: bytes = b""


class Recording:
    """The calls of ``calls`` since it was made, below ``root``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.events: list[Event] = []
        self._root = str(root)
        self._open: dict[int, int] = {}
        self._opened = 0
        for verb in ("make_folder", "unlink", "remove_folder", "sync_folder"):
            monkeypatch.setattr(calls, verb, self._of_path(verb, getattr(calls, verb)))
        for verb in ("create", "open_end"):
            monkeypatch.setattr(calls, verb, self._of_open(verb, getattr(calls, verb)))
        monkeypatch.setattr(calls, "rename", self._of_rename(calls.rename))
        monkeypatch.setattr(calls, "write", self._of_write(calls.write))
        monkeypatch.setattr(calls, "share", self._of_share(calls.share))
        monkeypatch.setattr(calls, "sync", self._of_sync(calls.sync))

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._root)

    def _of_path(self, verb: str, call: Callable[[str], None]) -> Callable[[str], None]:
        def recorded(path: str) -> None:
            call(path)
            self.events.append(Event(verb, self._relative(path)))

        return recorded

    def _of_open(self, verb: str, call: Callable[[str], int]) -> Callable[[str], int]:
        def recorded(path: str) -> int:
            descriptor = call(path)
            self._opened += 1
            self._open[descriptor] = self._opened
            self.events.append(Event(verb, self._relative(path), file=self._opened))
            return descriptor

        return recorded

    def _of_rename(self, call: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def recorded(source: str, destination: str) -> None:
            call(source, destination)
            self.events.append(Event("rename", self._relative(source), self._relative(destination)))

        return recorded

    def _of_write(self, call: Callable[[int, bytes | memoryview], int]) -> Callable[..., int]:
        def recorded(descriptor: int, data: bytes | memoryview) -> int:
            written = call(descriptor, data)
            self.events.append(Event("write", file=self._open[descriptor], data=bytes(data[:written])))
            return written

        return recorded

    def _of_share(self, call: Callable[[int, Shareable], bool]) -> Callable[[int, Shareable], bool]:
        """What it puts into the file, as if it had been written."""

        def recorded(descriptor: int, source: Shareable) -> bool:
            shared = call(descriptor, source)
            if shared:
                with open(f"/proc/self/fd/{descriptor}", "rb") as file:
                    self.events.append(Event("write", file=self._open[descriptor], data=file.read()))
            return shared

        return recorded

    def _of_sync(self, call: Callable[[int], None]) -> Callable[[int], None]:
        def recorded(descriptor: int) -> None:
            call(descriptor)
            self.events.append(Event("sync", file=self._open[descriptor]))

        return recorded


class Node:
    """A folder when ``entries`` is set, else a file."""

    def __init__(self, *, folder: bool) -> None:
        self.entries: dict[str, Node] | None = {} if folder else None
        self.data = b""
        self.synced = 0


class Change:
    """A change of one folder's entries, or of two at once."""

    def __init__(
        self, folder: Node, name: str, node: Node | None, source: tuple[Node, str] | None = None
    ) -> None:
        self.folder = folder
        self.name = name
        self.node = node
        self.source = source
        self.durable = False
        self.source_durable = False

    def sync(self, folder: Node) -> None:
        self.durable |= folder is self.folder
        if self.source and folder is self.source[0]:
            self.durable = self.source_durable = True


class Disk:
    """What the calls did, and which of it a loss of power would leave."""

    def __init__(self) -> None:
        self._root = Node(folder=True)
        self._changes: list[Change] = []
        self._open: dict[int, Node] = {}

    def apply(self, event: Event) -> None:
        if event.verb == "write":
            self._open[event.file].data += event.data
        elif event.verb == "sync":
            node = self._open[event.file]
            node.synced = len(node.data)
        elif event.verb == "sync_folder":
            folder = self._find(event.path)
            for change in self._changes:
                change.sync(folder)
        elif event.verb == "rename":
            source, name = self._parent(event.path)
            folder, new_name = self._parent(event.other)
            assert source.entries is not None
            self._change(Change(folder, new_name, source.entries[name], (source, name)))
        elif event.verb in ("unlink", "remove_folder"):
            self._change(Change(*self._parent(event.path), None))
        else:
            folder, name = self._parent(event.path)
            assert folder.entries is not None
            node = folder.entries.get(name) or Node(folder=event.verb == "make_folder")
            if name not in folder.entries:
                self._change(Change(folder, name, node))
            self._open[event.file] = node

    def left(self, entries: Callable[[], bool], data: Callable[[bytes, int], bytes]) -> Left:
        """What may be left.

        ``entries`` decides on each change that is not durable; ``data`` on what a file holds, given what was
        written to it and how much of that was synced.
        """
        folders: dict[Node, dict[str, Node]] = {}
        for change in self._changes:
            keep = change.durable or entries()
            if change.source and keep and (change.source_durable or entries()):
                folders.setdefault(change.source[0], {}).pop(change.source[1], None)
            if keep:
                inside = folders.setdefault(change.folder, {})
                inside.pop(change.name, None)
                if change.node:
                    inside[change.name] = change.node
        left: Left = {}
        self._collect("", self._root, folders, data, left)
        return left

    def _collect(
        self,
        path: str,
        folder: Node,
        folders: dict[Node, dict[str, Node]],
        data: Callable[[bytes, int], bytes],
        left: Left,
    ) -> None:
        for name, node in folders.get(folder, {}).items():
            if node.entries is None:
                left[f"{path}/{name}"] = data(node.data, node.synced)
            else:
                left[f"{path}/{name}"] = None
                self._collect(f"{path}/{name}", node, folders, data, left)

    def _change(self, change: Change) -> None:
        self._changes.append(change)
        assert change.folder.entries is not None
        change.folder.entries.pop(change.name, None)
        if change.node:
            change.folder.entries[change.name] = change.node
        if change.source:
            assert change.source[0].entries is not None
            del change.source[0].entries[change.source[1]]

    def _find(self, path: str) -> Node:
        node = self._root
        for name in path.split("/") if path != "." else []:
            assert node.entries is not None
            node = node.entries[name]
        return node

    def _parent(self, path: str) -> tuple[Node, str]:
        folder, _, name = path.rpartition("/")
        return self._find(folder or "."), name


def in_memory(left: Left) -> InMemoryDriver:
    """A driver on what is left."""
    driver = InMemoryDriver()
    for path, content in left.items():
        if content is not None:
            driver.put_content(path, content)
        else:
            driver.put_content(f"{path}/entry", b"")
            driver.delete(f"{path}/entry")
    return driver


def on_disk(left: Left, root: Path) -> FilesystemDriver:
    """A driver on what is left, below ``root``, which is made."""
    root.mkdir()
    for path, content in left.items():
        target = root / path[1:]
        if content is None:
            target.mkdir()
        else:
            target.write_bytes(content)
    return FilesystemDriver(str(root), paths.SCRATCH)


def everything(data: bytes, synced: int) -> bytes:
    return data


def only_synced(data: bytes, synced: int) -> bytes:
    return data[:synced]


def zeros(data: bytes, synced: int) -> bytes:
    return data[:synced] + bytes(len(data) - synced)


def any_of(random: Random) -> Callable[[bytes, int], bytes]:
    """Some of what was not synced, or zeros, as ``random`` decides."""

    def choose(data: bytes, synced: int) -> bytes:
        kept = zeros if random.random() < 0.5 else everything
        return kept(data, synced)[: random.randint(synced, len(data))]

    return choose
