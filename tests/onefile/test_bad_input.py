"""What is wrong with the file or the cache is named, or another folder is used. Nothing half written runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.onefile.building import start
from tests.onefile.roots import in_root
from tests.tools import require_tool
from udist_plugin import Plugin
from udist_plugin.errors import TransportError
from udist_plugin.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

VERSION = f"udist {__version__}\n"

pytestmark = pytest.mark.timeout(900)  # the first builds the file


def damaged(onefile: Path, target: Path, *, keep: int | None = None, flip: int | None = None) -> Path:
    """A copy with so many bytes kept, counted from the end if negative, or with a byte changed."""
    content = bytearray(onefile.read_bytes())
    if flip is not None:
        content[flip] ^= 0xFF
    target.write_bytes(content[:keep])
    target.chmod(0o755)
    return target


@pytest.mark.parametrize("keep", [-1, -100_000, -10_000_000])
def test_a_truncated_file_says_so(onefile: Path, tmp_path: Path, keep: int) -> None:
    done = start(
        damaged(onefile, tmp_path / "udist", keep=keep), "version", XDG_CACHE_HOME=str(tmp_path / "cache")
    )
    assert done.returncode == 1
    assert "udist: this file is truncated or damaged" in done.stderr
    assert not (tmp_path / "cache").exists()


def test_a_damaged_archive_is_not_run(onefile: Path, tmp_path: Path) -> None:
    copy = damaged(onefile, tmp_path / "udist", flip=-3_000_000)
    done = start(copy, "version", XDG_CACHE_HOME=str(tmp_path / "cache"), TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "udist: this file is damaged" in done.stderr
    assert list((tmp_path / "cache" / "udist").iterdir()) == []


def test_a_file_for_another_processor_is_named_by_the_client(onefile: Path, tmp_path: Path) -> None:
    content = bytearray(onefile.read_bytes()[:4096])
    content[18:20] = (0xFFFE).to_bytes(2, "little")  # e_machine, of no processor
    (tmp_path / "udist").write_bytes(content)
    (tmp_path / "udist").chmod(0o755)
    with pytest.raises(TransportError, match="for another system or processor"):
        Plugin(None, {}, [str(tmp_path / "udist")])


def test_starts_at_once_unpack_one_folder(onefile: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        starts = [pool.submit(start, onefile, "version", XDG_CACHE_HOME=str(tmp_path)) for _ in range(4)]
    assert {(each.result().stdout, each.result().stderr) for each in starts} == {(VERSION, "")}
    assert len(list((tmp_path / "udist").iterdir())) == 1


def test_a_start_that_was_killed_leaves_nothing_that_runs(onefile: Path, tmp_path: Path) -> None:
    cache = tmp_path / "udist"
    first = subprocess.Popen(
        [onefile, "version"], env={"XDG_CACHE_HOME": str(tmp_path)}, stdout=subprocess.PIPE
    )
    while first.poll() is None and not list(cache.glob(".unpacking-*/lib")):
        os.sched_yield()
    first.kill()
    with first:
        assert first.wait() == -signal.SIGKILL
    (left,) = cache.iterdir()
    os.utime(left, (0, 0))
    assert start(onefile, "version", XDG_CACHE_HOME=str(tmp_path)).stdout == VERSION
    assert [path for path in cache.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["lib/modules", "start.pyc", "lib/loader"])
def test_what_was_cut_in_the_cache_is_unpacked_again(
    onefile: Path, unpacked: Path, tmp_path: Path, name: str
) -> None:
    shutil.copytree(unpacked, tmp_path, dirs_exist_ok=True)
    (folder,) = (tmp_path / "udist").iterdir()
    os.truncate(folder / name, 100)
    assert start(onefile, "version", XDG_CACHE_HOME=str(tmp_path)).stdout == VERSION
    assert list((tmp_path / "udist").iterdir()) == [folder]


def test_a_folder_that_others_can_write_is_not_used(onefile: Path, tmp_path: Path) -> None:
    (tmp_path / "udist").mkdir()
    (tmp_path / "udist").chmod(0o777)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = start(onefile, "version", XDG_CACHE_HOME=str(tmp_path), TMPDIR=str(temporary))
    assert done.stdout == VERSION
    problem = f"{tmp_path}/udist can be written by others (mode 0777)"
    assert done.stderr == f"udist: {problem}; using {temporary}/udist-{os.geteuid()}\n"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


CACHE = ("--setenv", "XDG_CACHE_HOME", "/cache")


def test_a_folder_of_another_user_is_not_used(onefile: Path, tmp_path: Path) -> None:
    foreign = "/usr"  # an ordinary user's namespace has no name for its owner, root
    if os.geteuid() == 0:
        foreign = str(tmp_path)
        os.chown(foreign, 1, 1)
    done = run(*in_root(onefile, "--ro-bind", foreign, "/cache/udist", *CACHE), "/udist", "version")
    assert done.stdout == VERSION
    assert done.stderr.startswith("udist: /cache/udist belongs to user 65534")


def test_a_cache_that_cannot_be_written(onefile: Path, tmp_path: Path) -> None:
    done = run(*in_root(onefile, "--ro-bind", str(tmp_path), "/cache", *CACHE), "/udist", "version")
    assert done.stdout == VERSION
    assert done.stderr == ("udist: mkdir /cache/udist: read-only file system; using /tmp/udist-65532\n")


def test_a_full_cache(onefile: Path) -> None:
    done = run(*in_root(onefile, "--size", "1000000", "--tmpfs", "/cache", *CACHE), "/udist", "version")
    assert done.stdout == VERSION
    assert "no space left on device; using /tmp/udist-65532\n" in done.stderr


def test_no_folder_at_all(onefile: Path, tmp_path: Path) -> None:
    nothing = ["--ro-bind", str(tmp_path), "/tmp", "--remount-ro", "/"]
    done = run(*in_root(onefile, *nothing), "/udist", "version")
    assert done.returncode == 1
    said = (
        "udist: found no folder to unpack into: mkdir /tmp/udist-65532: read-only file system; set XDG_CACHE"
    )
    assert done.stderr.startswith(said)


def test_a_cache_mounted_noexec(onefile: Path, unpacked: Path, tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o noexec none "$XDG_CACHE_HOME" && exec "$0" version'
    command = [require_tool("unshare"), "--map-root-user", "--mount", "sh", "-c", mount, str(onefile)]
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    cache.mkdir()
    temporary.mkdir()
    environ = {"XDG_CACHE_HOME": str(cache), "TMPDIR": str(temporary), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == VERSION
    assert done.stderr == f"udist: {cache}/udist is mounted noexec; using {temporary}/udist-0\n"
