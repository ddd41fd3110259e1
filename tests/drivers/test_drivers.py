"""The shipped suite on the shipped drivers, and what is the filesystem driver's own."""

from __future__ import annotations

import errno
import os
import threading
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING

import pytest

from udist_plugin import drivers
from udist_plugin.drivers import ENTRY_POINTS, Shipped, open_driver
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import ConfigurationError, InvalidPath, PathBusy, StorageError
from udist_plugin.storage import paths
from udist_plugin.storage.paths import SCRATCH
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.drivers.conftest import Before
    from udist_plugin.drivers.base import StorageDriver


class TestFilesystem(StorageDriverSuite):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> StorageDriver:
        return FilesystemDriver(str(tmp_path / "not" / "made"), paths.SCRATCH)


class TestInMemory(StorageDriverSuite):
    @pytest.fixture
    def driver(self) -> StorageDriver:
        return InMemoryDriver()


@pytest.fixture
def filesystem(tmp_path: Path) -> FilesystemDriver:
    return FilesystemDriver(str(tmp_path), paths.SCRATCH)


def test_nothing_stays_in_the_scratch_folder(filesystem: FilesystemDriver) -> None:
    filesystem.put_content("/folder/file", b"x")
    filesystem.put_content("/blocked", b"x")
    with pytest.raises(InvalidPath):
        filesystem.put_content("/blocked/file", b"x")
    with pytest.raises(InvalidPath):
        filesystem.put_content("/folder", b"x")
    with filesystem.writer("/file") as writer:
        writer.write(b"x")
    filesystem.delete("/folder")
    assert filesystem.list(SCRATCH) == []


def test_the_file_is_the_kernels_own(filesystem: FilesystemDriver) -> None:
    """Unbuffered: whoever takes the descriptor must find nothing read ahead."""
    filesystem.put_content("/file", b"0123456789")
    with filesystem.reader("/file", 2, 6) as content:
        assert content.file is not None
        assert os.lseek(content.file.fileno(), 0, os.SEEK_CUR) == 2
        assert content.read(1) == b"2"
        assert os.lseek(content.file.fileno(), 0, os.SEEK_CUR) == 3
    assert content.file.closed


def test_links_do_not_lead_deletions_out_of_the_store(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"x")
    driver = FilesystemDriver(str(tmp_path / "root"), paths.SCRATCH)
    driver.put_content("/folder/file", b"x")
    (tmp_path / "root" / "folder" / "link").symlink_to(outside)
    driver.delete("/folder")
    assert (outside / "file").read_bytes() == b"x"


def test_the_root_is_not_deleted(filesystem: FilesystemDriver) -> None:
    filesystem.put_content("/file", b"x")
    with pytest.raises(InvalidPath, match="root"):
        filesystem.delete("/")
    assert filesystem.get_content("/file") == b"x"


def test_a_writer_that_does_not_let_go_is_named(
    filesystem: FilesystemDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "LOCK_WAIT", 0.0)
    with filesystem.writer("/data", append=True), pytest.raises(PathBusy, match="/data"):
        filesystem.writer("/data", append=True)
    filesystem.writer("/data", append=True).close()


def test_a_folder_that_keeps_vanishing_is_an_error_in_the_end(
    filesystem: FilesystemDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    filesystem.put_content("/folder/other", b"x")
    attempts = 0

    def rename(source: str, destination: str) -> None:
        nonlocal attempts
        attempts += 1
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), source, None, destination)

    monkeypatch.setattr(calls, "rename", rename)
    with pytest.raises(StorageError, match="deleted repeatedly"):
        filesystem.put_content("/folder/file", b"x")
    assert attempts == 1 + calls.ATTEMPTS
    assert filesystem.list(SCRATCH) == []


@pytest.mark.parametrize("meanwhile", ["made", "deleted"])
def test_folders_that_others_change_meanwhile(
    filesystem: FilesystemDriver, before: Before, meanwhile: str
) -> None:
    filesystem.put_content("/here/file", b"x")

    def overtake() -> None:
        if meanwhile == "made":
            filesystem.put_content("/here/new/other", b"theirs")
        else:
            filesystem.delete("/here")

    before("rename", overtake)
    filesystem.put_contents({"/here/new/first": b"1"}, {"/here/new/second": b"2"})
    assert filesystem.get_content("/here/new/first") == b"1"
    assert filesystem.get_content("/here/new/second") == b"2"
    assert filesystem.exists("/here/new/other") is (meanwhile == "made")
    assert filesystem.list(SCRATCH) == []


def test_a_new_folder_appears_with_all_it_holds(
    filesystem: FilesystemDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    filesystem.put_content("/tags/old/link", b"x")
    seen: list[list[str]] = []
    rename = calls.rename

    def recorded(source: str, destination: str) -> None:
        rename(source, destination)
        seen.append(sorted(filesystem.list("/tags")))

    monkeypatch.setattr(calls, "rename", recorded)
    filesystem.put_contents(
        {"/tags/new/index/link": b"x"}, {"/tags/old/link": b"y", "/tags/new/current": b"x"}
    )
    assert seen == [["old"], ["new", "old"]]
    assert filesystem.get_content("/tags/new/index/link") == filesystem.get_content("/tags/new/current")


def test_a_temporary_file_purged_under_way_is_not_found(filesystem: FilesystemDriver) -> None:
    with filesystem.writer("/file") as writer:
        filesystem.delete(SCRATCH)
        with pytest.raises(StorageError, match="/file"):
            writer.commit()
    assert not filesystem.exists("/file")


def test_threads_share_a_driver(filesystem: FilesystemDriver) -> None:
    def put(number: int) -> None:
        for index in range(20):
            filesystem.put_content(f"/{index}/{number}", b"x")

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(filesystem.list(f"/{index}")) == 4 for index in range(20))


def test_drivers_open_by_name(tmp_path: Path) -> None:
    driver = open_driver("filesystem", {"rootdirectory": str(tmp_path)}, scratch="/scratch")
    assert isinstance(driver, FilesystemDriver)
    driver.put_content("/a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
    assert (tmp_path / "scratch").is_dir()
    assert isinstance(open_driver("inmemory", {}, scratch=paths.SCRATCH), InMemoryDriver)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (
            "nosuch",
            {},
            r"storage\.nosuch: no such .*; there are azure, .*, inmemory, oss, s3, swift",
        ),
        ("filesystem", {"rootdirectory": ""}, r"storage\.filesystem\.rootdirectory: is missing"),
    ],
)
def test_wrong_parameters_are_named(name: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        open_driver(name, parameters, scratch=paths.SCRATCH)


def test_a_root_that_can_be_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    for root in ("file", "file/below", "dangling"):
        with pytest.raises(ConfigurationError, match=rf"rootdirectory: expected a folder.*{root}"):
            open_driver("filesystem", {"rootdirectory": str(tmp_path / root)}, scratch=paths.SCRATCH)
    (tmp_path / "missing").mkdir()
    open_driver(
        "filesystem", {"rootdirectory": str(tmp_path / "dangling")}, scratch=paths.SCRATCH
    ).put_content("/file", b"x")
    assert (tmp_path / "missing/file").read_bytes() == b"x"


def test_others_add_drivers_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    here = __name__
    added = EntryPoints(
        [
            EntryPoint("mine", "udist_plugin.drivers.inmemory:InMemoryDriver", ENTRY_POINTS),
            EntryPoint("other", f"{here}:TestInMemory", ENTRY_POINTS),
        ]
    )
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: added.select(group=group))
    assert isinstance(open_driver("mine", {}, scratch=paths.SCRATCH), InMemoryDriver)
    with pytest.raises(ConfigurationError, match="TestInMemory is not a StorageDriver"):
        open_driver("other", {}, scratch=paths.SCRATCH)
    with pytest.raises(
        ConfigurationError, match=r"there are azure, .*, inmemory, mine, oss, other, s3, swift"
    ):
        open_driver("nosuch", {}, scratch=paths.SCRATCH)


class Checked(InMemoryDriver):
    """A driver of another package that says what to check."""

    name = "checked"
    checkup = __name__


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    return [ConfigurationError(f"unknown key {name}", key=f"storage.checked.{name}") for name in parameters]


def steps(driver: StorageDriver, folder: str) -> list[tuple[str, Callable[[], object]]]:
    return [("try", lambda: driver.put_content(folder, b"x"))]


def test_drivers_of_others_say_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    added = EntryPoints(
        [
            EntryPoint("checked", f"{__name__}:Checked", ENTRY_POINTS),
            EntryPoint("broken", "no_such_sdk.driver:Driver", ENTRY_POINTS),
        ]
    )
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: added.select(group=group))
    found = drivers.problems("checked", {"size": "1"})
    assert [str(error) for error in found] == ["storage.checked.size: unknown key size"]
    driver = open_driver("checked", {}, scratch=paths.SCRATCH)
    ((name, step),) = drivers.further_steps(driver, "/a")
    step()
    assert (name, driver.exists("/a")) == ("try", True)
    (missing,) = drivers.problems("broken", {})
    assert "No module named 'no_such_sdk'; install what no_such_sdk.driver:Driver needs" in missing.problem


def test_a_driver_that_cannot_be_imported_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Shipped("no_such_sdk", "Driver", "pip install 'udist-plugin[sdk]'")
    monkeypatch.setattr("udist_plugin.drivers.DRIVERS", {"cloud": missing})
    with pytest.raises(
        ConfigurationError, match=r"storage\.cloud: .*no_such_sdk.*pip install 'udist-plugin\[sdk\]'"
    ):
        open_driver("cloud", {}, scratch=paths.SCRATCH)
