"""A file is deleted only while it holds what is expected, whoever replaces it meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.drivers.memory_store import MemoryObjects
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import PathBusy
from udist_plugin.storage.paths import SCRATCH

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.conftest import Before
    from udist_plugin.content import Content

LINK = "/tag/current/link"


@pytest.fixture
def filesystem(tmp_path: Path) -> FilesystemDriver:
    driver = FilesystemDriver(str(tmp_path), SCRATCH)
    driver.put_content(LINK, b"old")
    driver.put_content("/tag/index/link", b"old")
    return driver


def replace(root: Path, content: bytes) -> None:
    """As a stock server does it, which takes no lock."""
    (root / "new").write_bytes(content)
    os.replace(root / "new", f"{root}{LINK}")


def test_what_another_put_there_meanwhile_is_put_back(
    filesystem: FilesystemDriver, tmp_path: Path, before: Before
) -> None:
    before("rename", lambda: replace(tmp_path, b"new"))
    assert not filesystem.delete_if("/tag", "current/link", b"old")
    assert filesystem.get_content(LINK) == b"new"
    assert filesystem.exists("/tag/index/link")
    assert filesystem.list(SCRATCH) == []


def test_what_another_put_there_last_stays(
    filesystem: FilesystemDriver, tmp_path: Path, before: Before
) -> None:
    before("rename", lambda: replace(tmp_path, b"new"))
    before("link", lambda: replace(tmp_path, b"newer"))
    assert not filesystem.delete_if("/tag", "current/link", b"old")
    assert filesystem.get_content(LINK) == b"newer"
    assert filesystem.list(SCRATCH) == []


def test_without_hard_links_it_is_put_back_too(
    filesystem: FilesystemDriver, tmp_path: Path, before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, destination: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(calls, "link", refuse)
    before("rename", lambda: replace(tmp_path, b"new"))
    assert not filesystem.delete_if("/tag", "current/link", b"old")
    assert filesystem.get_content(LINK) == b"new"
    assert filesystem.list(SCRATCH) == []


def test_what_is_put_there_afterwards_stays_with_its_folder(
    filesystem: FilesystemDriver, before: Before
) -> None:
    before("remove_folder", lambda: filesystem.put_content(LINK, b"new"))
    assert filesystem.delete_if("/tag", "current/link", b"old")
    assert filesystem.get_content(LINK) == b"new"


def test_a_writer_waits_for_a_deletion_and_not_for_writers(
    filesystem: FilesystemDriver, before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "LOCK_WAIT", 0.0)

    def refused() -> None:
        with pytest.raises(PathBusy, match="another process holds its folder"):
            filesystem.put_content(LINK, b"new")
        with pytest.raises(PathBusy, match="another process holds its folder"):
            filesystem.put_contents({LINK: b"new"})

    before("rename", refused)
    assert filesystem.delete_if("/tag", "current/link", b"old")
    filesystem.put_content(LINK, b"1")
    before("rename", lambda: filesystem.put_contents({LINK: b"2"}))
    filesystem.put_content(LINK, b"3")
    assert filesystem.get_content(LINK) == b"3"


def test_a_deletion_waits_for_writers(
    filesystem: FilesystemDriver, before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "LOCK_WAIT", 0.0)

    def refused() -> None:
        with pytest.raises(PathBusy, match="another process holds its folder"):
            filesystem.delete_if("/tag", "current/link", b"old")

    for put in (filesystem.put_content, lambda path, content: filesystem.put_contents({path: content})):
        before("rename", refused)
        put(LINK, b"old")
    assert filesystem.get_content(LINK) == b"old"


def test_where_nothing_can_be_locked_all_go_on(
    filesystem: FilesystemDriver, tmp_path: Path, before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(descriptor: int, *, shared: bool = False) -> bool:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(calls, "lock", unsupported)
    before("rename", lambda: filesystem.put_content(LINK, b"new"))
    assert not filesystem.delete_if("/tag", "current/link", b"old")
    assert filesystem.delete_if("/tag", "current/link", b"new")
    assert not filesystem.exists("/tag")


KILLED = """
import sys, time
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.driver import FilesystemDriver

def stop(source, destination):
    print("holding", flush=True)
    time.sleep(600)

driver = FilesystemDriver(sys.argv[1], sys.argv[2])
calls.rename = stop
driver.delete_if("/tag", "current/link", b"old")
"""


def test_a_deletion_that_is_killed_has_done_nothing_and_holds_nobody(
    filesystem: FilesystemDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "LOCK_WAIT", 0.0)
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), SCRATCH], stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout
        assert child.stdout.readline() == "holding\n"
        with pytest.raises(PathBusy):
            filesystem.put_content(LINK, b"new")
        child.send_signal(signal.SIGKILL)
    assert filesystem.get_content(LINK) == b"old"
    filesystem.put_content(LINK, b"new")
    assert not filesystem.delete_if("/tag", "current/link", b"old")


def test_a_folder_that_is_a_symbolic_link_goes_alone(filesystem: FilesystemDriver, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to("tag")
    assert not filesystem.delete_if("/alias", "current/link", b"new")
    assert filesystem.delete_if("/alias", "current/link", b"old")
    assert not (tmp_path / "alias").is_symlink()
    assert sorted(filesystem.list("/tag")) == ["current", "index"]
    assert filesystem.get_content(LINK) == b"old"


def test_a_file_that_is_a_symbolic_link_goes_alone(filesystem: FilesystemDriver, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"old")
    os.unlink(f"{tmp_path}{LINK}")
    os.symlink("../../kept", f"{tmp_path}{LINK}")
    assert filesystem.delete_if("/tag", "current/link", b"old")
    assert not filesystem.exists("/tag")
    assert (tmp_path / "kept").read_bytes() == b"old"


@pytest.fixture
def objects() -> MemoryObjects:
    driver = MemoryObjects()
    driver.put_content(LINK, b"old")
    driver.put_content("/tag/index/link", b"old")
    return driver


@pytest.mark.parametrize(("verb", "times"), [("head", 1), ("get", 1), ("get", 2)])
def test_an_object_that_is_replaced_meanwhile_stays(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch, verb: str, times: int
) -> None:
    """By others, and before that by the same content in another version."""
    asked = getattr(objects.store, verb)
    left = [b"new", *[b"old"] * (times - 1)]

    def overtaken(key: str, *more: int) -> object:
        found = asked(key, *more)
        if left:
            objects.put_content(LINK, left.pop())
        return found

    monkeypatch.setattr(objects.store, verb, overtaken)
    assert not objects.delete_if("/tag", "current/link", b"old")
    assert objects.get_content(LINK) == b"new"
    assert objects.exists("/tag/index/link")


def test_an_object_that_is_always_replaced_is_busy(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = objects.store.get

    def overtaken(key: str, *more: int) -> Content:
        found = get(key, *more)
        objects.put_content(LINK, b"old")
        return found

    monkeypatch.setattr(objects.store, "get", overtaken)
    with pytest.raises(PathBusy, match="keep replacing"):
        objects.delete_if("/tag", "current/link", b"old")
