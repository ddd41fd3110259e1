"""Several files at once through a spawned plugin: in order, as many as allowed, and all or nothing."""

from __future__ import annotations

import json
import os
import queue
import threading
from typing import TYPE_CHECKING

import pytest

from tests.images.comparing import content_of
from tests.images.stalling import COMMAND, LARGE, REFUSED
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import BlobUnknown, Denied, PluginDied
from udist_plugin.images.artifact import TITLE
from udist_plugin.images.progress import Silent
from udist_plugin.images.pull import pull_artifact
from udist_plugin.images.push import Source, push_artifact
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from udist_plugin.content import Content, Readable
    from udist_plugin.images.progress import Task
    from udist_plugin.oci.descriptor import Descriptor


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Plugin]:
    with Plugin(environ={"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(tmp_path / "store")}) as plugin:
        yield plugin


@pytest.fixture
def stalling() -> Iterator[tuple[Plugin, queue.Queue[str]]]:
    """A plugin that does not finish what is large, and what it says."""
    said: queue.Queue[str] = queue.Queue()
    with Plugin(command=COMMAND, log=said.put) as plugin:
        yield plugin, said


class Watch(Silent):
    """Counts the files that are ``doing`` at once; each waits until ``wanted`` others are."""

    def __init__(self, doing: str, wanted: int) -> None:
        self.most = 0
        self._doing = doing
        self._count = 0
        self._lock = threading.Lock()
        self._together = threading.Barrier(wanted)

    def begin(self, doing: str, name: str, size: int | None, done: Callable[[], int]) -> Task:
        return self if doing == self._doing else super().begin(doing, name, size, done)

    def __enter__(self) -> Watch:
        with self._lock:
            self._count += 1
            self.most = max(self.most, self._count)
        self._together.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1

    def end(self, how: str) -> None:
        pass


class Counting(RemoteRegistry):
    """Counts the blobs that are pushed."""

    def __init__(self, plugin: Plugin) -> None:
        super().__init__(plugin)
        self.pushed: list[str] = []

    def push_blob(self, name: str, digest: str, content: Readable) -> Descriptor:
        self.pushed.append(digest)
        return super().push_blob(name, digest, content)


def make_files(folder: Path, contents: list[bytes]) -> list[Source]:
    sources = []
    for number, content in enumerate(contents):
        path = folder / f"{number:03}"
        path.write_bytes(content)
        sources.append(Source(str(path), path.name))
    return sources


def wait_until_two_stall(said: queue.Queue[str]) -> None:
    assert [said.get(timeout=30) for _ in range(2)] == ["stalled"] * 2


def test_layers_are_in_the_order_given_whatever_ends_first(plugin: Plugin, tmp_path: Path) -> None:
    sizes = [5_000_000 if number % 10 == 0 else number for number in range(40)]
    sources = make_files(tmp_path, [os.urandom(size) for size in sizes])[::-1]
    registry = RemoteRegistry(plugin)
    pushed = push_artifact(registry, "demo", sources, tags=["v1"])
    layers = json.loads(pushed.manifest)["layers"]
    assert [layer["annotations"][TITLE] for layer in layers] == [source.title for source in sources]
    assert push_artifact(registry, "demo", sources, concurrency=1).manifest == pushed.manifest
    out = tmp_path / "out"
    pulled = pull_artifact(registry, "demo", "v1", str(out))
    assert [file.path for file in pulled.files] == [str(out / source.title) for source in sources]
    assert all((out / each.title).read_bytes() == (tmp_path / each.title).read_bytes() for each in sources)


def test_as_many_are_under_way_as_allowed(plugin: Plugin, tmp_path: Path) -> None:
    sources = make_files(tmp_path, [bytes([number]) for number in range(9)])
    registry = RemoteRegistry(plugin)
    pushing, pulling = Watch("pushing", 3), Watch("pulling", 3)
    push_artifact(registry, "demo", sources, tags=["v1"], progress=pushing, concurrency=3)
    pull_artifact(registry, "demo", "v1", str(tmp_path / "out"), progress=pulling, concurrency=3)
    assert (pushing.most, pulling.most) == (3, 3)


def test_identical_contents_are_pushed_once(plugin: Plugin, tmp_path: Path) -> None:
    sources = make_files(tmp_path, [b"same" * 100_000] * 7 + [b"other", b"{}"])
    registry = Counting(plugin)
    push_artifact(registry, "demo", sources, tags=["v1"])
    assert len(registry.pushed) == len(set(registry.pushed)) == 3
    pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert (tmp_path / "out/006").read_bytes() == b"same" * 100_000
    push_artifact(registry, "demo", sources, tags=["v2"])
    assert len(registry.pushed) == 3


def test_a_pull_that_fails_names_the_file_and_leaves_nothing(
    stalling: tuple[Plugin, queue.Queue[str]], tmp_path: Path
) -> None:
    """The others cannot end by themselves: they are cancelled."""
    plugin, said = stalling

    class Failing(RemoteRegistry):
        def open_blob(self, name: str, digest: str, start: int = 0, end: int | None = None) -> Content:
            if digest == Digest.of(b"c"):
                wait_until_two_stall(said)
            return super().open_blob(name, digest, start, end)

    with pytest.raises(BlobUnknown) as caught:
        pull_artifact(Failing(plugin), "demo", "v1", str(tmp_path / "out"))
    assert caught.value.__notes__ == ["pulling missing"]
    assert content_of(tmp_path) == {"out": None}


def test_a_push_that_fails_names_the_file_and_cancels_the_uploads(
    stalling: tuple[Plugin, queue.Queue[str]], tmp_path: Path
) -> None:
    plugin, said = stalling

    class Failing(RemoteRegistry):
        def push_blob(self, name: str, digest: str, content: Readable) -> Descriptor:
            if digest == Digest.of(b"z" * REFUSED):
                wait_until_two_stall(said)
            return super().push_blob(name, digest, content)

    sources = make_files(tmp_path, [b"x" * LARGE, b"y" * 4 * LARGE, b"z" * REFUSED])
    with pytest.raises(Denied) as caught:
        push_artifact(Failing(plugin), "demo", sources, tags=["v2"])
    assert caught.value.__notes__ == ["pushing 002"]
    with plugin.request("GET", "/uploads") as response:
        assert response.read() == b"0"
    assert RemoteRegistry(plugin).list_tags("demo").items == ["endless", "v1"]


def test_a_plugin_that_dies_fails_all_and_names_one(
    stalling: tuple[Plugin, queue.Queue[str]], tmp_path: Path
) -> None:
    plugin, said = stalling

    class Dying(RemoteRegistry):
        def open_blob(self, name: str, digest: str, start: int = 0, end: int | None = None) -> Content:
            if digest == Digest.of(b"c"):
                wait_until_two_stall(said)
                os.kill(plugin.pid, 9)
            return super().open_blob(name, digest, start, end)

    with pytest.raises(PluginDied) as caught:
        pull_artifact(Dying(plugin), "demo", "v1", str(tmp_path / "out"))
    assert len(caught.value.__notes__) == 1
    assert content_of(tmp_path) == {"out": None}


def test_a_file_inside_a_folder_of_the_same_artifact_comes_after_it(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a").write_text("the folder's")
    (tmp_path / "a").write_text("its own")
    registry = RemoteRegistry(plugin)
    sources = [Source(str(tmp_path / "folder"), "folder"), Source(str(tmp_path / "a"), "folder/a")]
    for number in range(10):
        push_artifact(registry, "demo", sources, tags=["v1"])
        out = tmp_path / f"out{number}"
        pull_artifact(registry, "demo", "v1", str(out))
        assert (out / "folder/a").read_text() == "its own"
