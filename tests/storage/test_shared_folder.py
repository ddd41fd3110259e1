"""A folder that several users share: nobody's umask or ownership locks the others out."""

from __future__ import annotations

import errno
import io
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import push_image
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.drivers.filesystem.tree import Tree
from udist_plugin.errors import ConfigurationError, StorageError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.upkeep.checkup import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    root.mkdir()
    return root


@pytest.fixture(params=[0o077, 0o022, 0o000], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def use(root: Path) -> None:
    """Writes in every way that there is."""
    registry = StorageRegistry(FilesystemDriver(str(root), paths.SCRATCH))
    push_image(registry, "team/app", b"layer", tags=["v1"])
    push_image(registry, "team/app", b"other", tags=["v1", "v2"])
    registry.driver.put_content(paths.subjects("team/app"), b"", durable=False)
    upload = registry.start_upload("team/app")
    upload.write(io.BytesIO(b"some"))
    registry.start_upload("team/app").write(io.BytesIO(b"more"))
    upload.commit(Digest.of(b"some"))
    registry.delete_tag("team/app", "v1")


def modes(root: Path) -> tuple[set[str], set[str]]:
    """Those of folders and of files below ``root``."""
    found: tuple[set[str], set[str]] = (set(), set())
    for path in root.rglob("*"):
        found[path.is_file()].add(oct(stat.S_IMODE(path.stat().st_mode)))
    return found


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mode", [0o700, 0o755, 0o775, 0o2775, 0o770])
def test_modes_follow_the_root(root: Path, mode: int) -> None:
    root.chmod(mode)
    use(root)
    assert modes(root) == ({oct(mode)}, {oct(mode & 0o666)})


def test_a_new_root_is_made_by_the_umask(root: Path, umask: int) -> None:
    use(root / "new")
    assert stat.S_IMODE((root / "new").stat().st_mode) == 0o777 & ~umask
    assert modes(root / "new") == ({oct(0o777 & ~umask)}, {oct(0o666 & ~umask)})


def test_a_folder_with_a_mode_of_its_own_is_followed(root: Path) -> None:
    root.chmod(0o755)
    team = root / "docker/registry/v2/repositories/team"
    team.mkdir(parents=True)
    team.chmod(0o2770)
    use(root)
    assert modes(team) == ({"0o2770"}, {"0o660"})
    assert modes(root / "docker/registry/v2/blobs") == ({"0o755"}, {"0o644"})


as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may change a file's owner"
)


@as_root
def test_what_root_writes_belongs_to_whom_the_folder_does(root: Path) -> None:
    os.chown(root, NOBODY, NOBODY)
    use(root)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in root.rglob("*")} == {(NOBODY, NOBODY)}


def as_nobody(root: Path, program: str) -> str:
    """What a program printed that was run as a user without rights."""
    script = f"import os, sys\nos.setgroups([])\nos.setgid({NOBODY})\nos.setuid({NOBODY})\n{program}"
    command = [sys.executable, "-c", f"{IMPORTS}\n{script}", str(root)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


IMPORTS = """
from udist_plugin.drivers.filesystem import deletion
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.errors import ConfigurationError, StorageError
"""

PROBE = """
driver = FilesystemDriver(sys.argv[1], "/scratch")
try:
    driver.probe()
    driver.start(lambda level, message: print(level, message))
except ConfigurationError as error:
    print(error)
"""

WRITE = """
driver = FilesystemDriver(sys.argv[1], "/scratch")
try:
    driver.put_content("/some/file", b"x")
except StorageError as error:
    print(error)
"""


@pytest.fixture
def reachable(root: Path) -> Path:
    """A root whose parents anybody may pass."""
    for parent in root.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)
    return root


@as_root
class TestWithoutRights:
    who = f"user {NOBODY}, group {NOBODY}"

    def test_an_unreadable_root_is_an_error_at_the_start(self, reachable: Path) -> None:
        reachable.chmod(0o700)
        message = as_nobody(reachable, PROBE)
        assert message.startswith("storage.filesystem.rootdirectory: cannot use ")
        for part in (str(reachable), os.strerror(errno.EACCES), "EACCES", self.who):
            assert part in message

    def test_a_root_that_cannot_be_reached_is_an_error_at_the_start(self, reachable: Path) -> None:
        (reachable / "closed").mkdir(mode=0o700)
        (reachable / "closed/store").mkdir()
        message = as_nobody(reachable / "closed/store", PROBE)
        assert f"cannot use '{reachable}/closed/store': {os.strerror(errno.EACCES)} (EACCES" in message

    def test_a_root_that_cannot_be_made_is_an_error_at_the_start(self, reachable: Path) -> None:
        message = as_nobody(reachable / "some/where", PROBE)
        for part in (str(reachable / "some/where"), "cannot be made", "EACCES", self.who):
            assert part in message

    def test_a_root_that_can_only_be_read_is_served_with_a_warning(self, reachable: Path) -> None:
        reachable.chmod(0o755)
        message = as_nobody(reachable, PROBE)
        assert message.startswith(f"warn {reachable}: not writable ({self.who})")

    def test_a_scratch_folder_of_another_is_named_at_the_start(self, reachable: Path) -> None:
        reachable.chmod(0o777)
        (reachable / "scratch").mkdir(mode=0o755)
        assert as_nobody(reachable, PROBE).startswith(f"warn {reachable}/scratch: not writable")

    def test_an_error_names_the_path_that_failed_and_the_user(self, reachable: Path) -> None:
        reachable.chmod(0o777)
        (reachable / "scratch").mkdir(mode=0o755)
        message = as_nobody(reachable, WRITE)
        assert message.startswith(f"filesystem: {reachable}/some/file: {os.strerror(errno.EACCES)}: ")
        assert f"{reachable}/scratch/" in message
        assert self.who in message


def test_a_root_that_cannot_be_read_is_named_whatever_the_cause(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    monkeypatch.setattr(os, "scandir", broken)
    with pytest.raises(ConfigurationError, match=rf"{root}.*{os.strerror(errno.EIO)} \(EIO"):
        FilesystemDriver(str(root), paths.SCRATCH).probe()


def test_a_file_system_that_is_read_only_is_named_once_with_what_to_do(root: Path) -> None:
    refused = OSError(errno.EROFS, os.strerror(errno.EROFS), f"{root}/scratch/0123")
    error = Tree(str(root), paths.SCRATCH).named_error(refused, "/some/file")
    assert str(error) == f"filesystem: {root}/some/file: Read-only file system; mount it read-write"


def test_a_probe_makes_nothing(root: Path) -> None:
    for folder in (root, root / "not/there"):
        FilesystemDriver(str(folder), paths.SCRATCH).probe()
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("stands", ["root", "layout", "nothing"])
def test_a_checkup_leaves_nothing_behind(root: Path, stands: str) -> None:
    driver = FilesystemDriver(str(root / "new" if stands == "nothing" else root), paths.SCRATCH)
    if stands == "layout":
        use(root)
    before = sorted(root.rglob("*"))
    assert [step.name for step in check(driver) if step.error] == []
    assert sorted(root.rglob("*")) == before


def test_a_checkup_that_fails_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = FilesystemDriver(str(root), paths.SCRATCH)

    def refused(path: str) -> list[str]:
        raise StorageError("denied", path=path)

    monkeypatch.setattr(driver, "list", refused)
    assert [step.name for step in check(driver) if step.error] == ["list"]
    assert list(root.iterdir()) == []
