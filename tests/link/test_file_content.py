"""Content of a file that the peer has opened for this process."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from udist_plugin.errors import Cancelled
from udist_plugin.link import file_content
from udist_plugin.link.errors import ContentCut
from udist_plugin.link.file_content import FileContent
from udist_plugin.link.files import PeerFiles, described
from udist_plugin.wire.frames import File

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux opens another's descriptors")

CONTENT = os.urandom(100_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"before" + CONTENT + b"behind")
    return path


@pytest.fixture
def content(path: Path) -> Iterator[FileContent]:
    """``CONTENT`` in the middle of a file, opened by way of ``/proc``."""
    files = PeerFiles(os.getpid())
    with path.open("rb") as file:
        told = described(file.fileno(), 6, len(CONTENT))
        assert told
        content = FileContent(files.open(told), told, None)
    yield content
    content.close()
    files.close()


def copy(source: int, offset: int, length: int, target: int) -> None:
    """What ``clone`` does on a file system that can share extents."""
    os.copy_file_range(source, target, length, offset, 0)


def test_it_is_what_was_told_and_no_more(content: FileContent) -> None:
    assert content.read(10) + content.read() == CONTENT
    assert (content.read(), content.read_into(memoryview(bytearray(1))), content.ended) == (b"", 0, True)


def test_sharing_is_all_or_nothing(content: FileContent, tmp_path: Path) -> None:
    """Whether it can be done depends on the file system below."""
    with (tmp_path / "copy").open("wb") as copy:
        shared = content.share(copy.fileno())
    assert content.read() == CONTENT
    assert (tmp_path / "copy").read_bytes() == (CONTENT if shared else b"")


def test_what_is_shared_is_read_from_the_copy(
    content: FileContent, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_content, "clone", copy)
    with (tmp_path / "copy").open("wb") as out:
        assert content.share(out.fileno())
    path.write_bytes(b"")
    assert content.read() == CONTENT
    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_a_copy_that_cannot_be_read_is_not_made(content: FileContent, tmp_path: Path) -> None:
    source, sink = os.pipe()
    os.close(source)
    try:
        assert not content.share(sink)
    finally:
        os.close(sink)
    assert content.read() == CONTENT


@pytest.mark.parametrize("size", [0, 6, 5006])
def test_a_cut_is_an_error(content: FileContent, path: Path, tmp_path: Path, size: int) -> None:
    os.truncate(path, size)
    assert content.read(max(0, size - 6)) == CONTENT[: max(0, size - 6)]
    with pytest.raises(ContentCut, match=f"{len(CONTENT) - max(0, size - 6)} bytes"):
        content.read(1)
    with (tmp_path / "copy").open("wb") as copy, pytest.raises(ContentCut):
        content.copy_to(copy.fileno())


def test_closed_is_closed(content: FileContent, tmp_path: Path) -> None:
    content.close()
    content.close()
    with (tmp_path / "copy").open("wb") as copy:
        with pytest.raises(Cancelled):
            content.read()
        for use in (content.share, content.copy_to):
            with pytest.raises(Cancelled):
                use(copy.fileno())


def test_a_close_amid_a_read_is_the_reader_s(content: FileContent) -> None:
    """Its descriptor may be another file's as soon as it is closed."""

    def check() -> None:
        content.close()
        assert not content.file.closed

    content.check = check  # type: ignore[method-assign]
    assert content.read_into(memoryview(bytearray(10))) == 10
    assert content.file.closed


def test_a_close_amid_a_copy_is_the_copier_s(
    content: FileContent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(source: int, target: int, count: int) -> int:
        content.close()
        return len(os.read(source, 10))

    monkeypatch.setattr(os, "copy_file_range", copy)
    with (tmp_path / "copy").open("wb") as out, pytest.raises(Cancelled):
        content.copy_to(out.fileno())
    assert content.file.closed


def test_nothing_is_nothing(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the call that shares extents, a length of 0 is all the rest of a file."""
    monkeypatch.setattr(file_content, "clone", lambda *_: pytest.fail("a file was shared"))
    with path.open("rb") as file:
        told = described(file.fileno(), 6, 0)
        assert told
        nothing = FileContent(os.dup(file.fileno()), told, None)
    assert nothing.file.closed
    with (tmp_path / "copy").open("wb") as out:
        assert not nothing.share(out.fileno())
        assert nothing.copy_to(out.fileno()) == 0
    assert (nothing.read(), nothing.ended) == (b"", True)


def test_files_of_a_process_that_has_ended_are_gone(path: Path) -> None:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "60"], os.environ)
    files = PeerFiles(pid)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    with path.open("rb") as file:
        told = described(file.fileno(), 0, 1)
        assert told
        with pytest.raises(ProcessLookupError):
            files.open(told)
        with pytest.raises(ProcessLookupError):
            files.check_readable(told)
    files.close()


@pytest.mark.parametrize(
    ("information", "readable"),
    [
        (b"pos:\t0\nflags:\t0100000\nmnt_id:\t9\n", True),
        (b"pos:\t0\nflags:\t0100002\n", True),
        (b"pos:\t0\nflags:\t0100001\n", False),
        (b"pos:\t0\nflags:\t010000000\n", False),
        (b"flags:\t02000002\nPollList:\n  op=6, task_works=0\n", True),
        (b"what is no line of it\n", False),
        (b"", False),
    ],
    ids=["read", "both", "write", "path", "io_uring", "other", "nothing"],
)
def test_only_what_is_open_for_reading_is_readable(
    tmp_path: Path, information: bytes, readable: bool
) -> None:
    """Whatever else the kernel tells of a descriptor (proc_pid_fdinfo(5))."""
    (tmp_path / "fdinfo").mkdir()
    (tmp_path / "fdinfo" / "5").write_bytes(information)
    files = PeerFiles(os.getpid())
    os.close(files._process)
    files._process = os.open(tmp_path, os.O_RDONLY)
    with nullcontext() if readable else pytest.raises(OSError, match="5 is not open for reading"):
        files.check_readable(File(5, 0, 1, 0, 0, 1))
    files.close()


numbers = st.integers(0, 2**64 - 1) | st.integers(0, 300)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_nothing_is_believed_but_the_truth(path: Path, data: st.DataObject) -> None:
    """Whatever a peer tells, it is another file's content never, and an error mostly."""
    files = PeerFiles(os.getpid())
    with path.open("rb") as file:
        true = described(file.fileno(), 0, path.stat().st_size)
        assert true
        lies = {name: data.draw(st.just(value) | numbers, name) for name, value in true._asdict().items()}
        told = File(**lies | {"fd": lies["fd"] % 2**32})
        try:
            descriptor = files.open(told)
        except OSError:
            descriptor = -1
        finally:
            files.close()
        honest = told[3:] == true[3:] and told.fd == true.fd
        assert (descriptor >= 0) == (honest and told.offset + told.length <= told.size)
        if descriptor >= 0:
            assert os.path.samestat(os.fstat(descriptor), os.fstat(file.fileno()))
            os.close(descriptor)
