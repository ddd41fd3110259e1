"""Content in files: what a plugin tells of its own, and what it makes of those that a caller tells of."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import COMMAND
from tests.server.raw import Caller
from udist_plugin.link.files import described
from udist_plugin.wire.frames import File, Request, Reset, Response, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux opens another's descriptors")

SIZE = 1_000_000
CONTENT = os.urandom(SIZE)
HASTY = f"""
import runpy
from udist_plugin.server import link
link.HOLD = 0.2
runpy.run_module({COMMAND[-1]!r}, run_name="__main__")
"""


def begin(
    command: list[str], *, process_id: int | None = None, offer: bool = True
) -> tuple[Caller, Settings]:
    caller = Caller(command)
    told = os.getpid() if process_id is None else process_id
    caller.send(Settings([1], capabilities=["files"] if offer else [], process_id=told))
    settings = caller.receive().body
    assert isinstance(settings, Settings)
    return caller, settings


@pytest.fixture
def caller() -> Iterator[Caller]:
    """Shares files with the plugin of ``tests.server.apps``."""
    caller, settings = begin(COMMAND)
    with caller:
        assert settings.capabilities == ["files"]
        assert settings.process_id == caller.process.pid
        yield caller


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def get(path: Path, query: str = "", method: str = "GET", *, accept: bool = True) -> Request:
    return Request(method, "http", "localhost", f"/file{path}{query}", (), 0, accept)


def post(target: str, file: File, length: int | None = None) -> Request:
    fields = [("content-length", str(file.length if length is None else length).encode())]
    return Request("POST", "http", "localhost", target, fields, 0, False, file)


def held(caller: Caller, path: Path) -> bool:
    """Whether the plugin has the file open."""
    folder = f"/proc/{caller.process.pid}/fd"
    return any(os.path.realpath(f"{folder}/{name}") == str(path) for name in os.listdir(folder))


def told_of(caller: Caller, path: Path) -> File:
    """Asks for a file, and is told of it."""
    caller.send(get(path), 1, last=True)
    frame = caller.receive()
    assert isinstance(frame.body, Response)
    assert not frame.end_stream
    assert ("content-length", str(SIZE).encode()) in frame.body.fields
    assert frame.body.file
    return frame.body.file


@pytest.mark.parametrize(
    ("process_id", "offer"), [(1, True), (0, True), (None, False)], ids=["another", "none", "not-offered"]
)
def test_files_are_shared_with_a_parent_that_offers_it(process_id: int | None, offer: bool) -> None:
    caller, settings = begin(COMMAND, process_id=process_id, offer=offer)
    with caller:
        assert settings.capabilities == []


def test_a_command_in_between_is_the_parent() -> None:
    caller, settings = begin(["sh", "-c", f"{shlex.join(COMMAND)}; exit"])
    with caller:
        assert settings.capabilities == []
        assert settings.process_id != caller.process.pid
        assert caller.close() == 0


def test_a_file_is_held_until_the_caller_has_it(caller: Caller, path: Path) -> None:
    file = told_of(caller, path)
    status = path.stat()
    assert file[1:] == (0, SIZE, status.st_dev, status.st_ino, SIZE)
    assert os.path.realpath(f"/proc/{caller.process.pid}/fd/{file.fd}") == str(path)
    caller.send(Reset("OK"), 1)
    assert caller.receive().body == Reset("OK")
    assert not held(caller, path)


@pytest.mark.parametrize("code", ["CANCELLED", "FAILED_PRECONDITION"])
def test_a_file_that_the_caller_gives_up_is_closed(caller: Caller, path: Path, code: str) -> None:
    told_of(caller, path)
    caller.send(Reset(code), 1)
    body = caller.receive().body
    assert isinstance(body, Reset)
    assert body.code == code
    assert not held(caller, path)


def test_a_file_that_nobody_opens_is_closed(path: Path) -> None:
    caller, _ = begin([sys.executable, "-c", HASTY])
    with caller:
        told_of(caller, path)
        body = caller.receive(10).body
        assert isinstance(body, Reset)
        assert body.code == "DEADLINE_EXCEEDED"
        assert not held(caller, path)
        caller.send(Reset("OK"), 1)  # too late: dropped
        caller.send(get(path, accept=False), 3, last=True)
        assert isinstance(caller.receive().body, Response)


def test_a_timeout_of_the_caller_s_own_ends_it_earlier(caller: Caller, path: Path) -> None:
    caller.send(get(path)._replace(timeout_ms=100), 1, last=True)
    assert isinstance(caller.receive().body, Response)
    body = caller.receive(5).body
    assert isinstance(body, Reset)
    assert body.code == "DEADLINE_EXCEEDED"


def test_a_caller_that_leaves_does_not_wait(caller: Caller, path: Path) -> None:
    told_of(caller, path)
    assert caller.close() == 0


def test_many_files_at_once(caller: Caller, path: Path) -> None:
    """Each has its slot, and nothing else waits."""
    for number in range(63):
        caller.send(get(path), 2 * number + 1, last=True)
    numbers = set()
    for _ in range(63):
        frame = caller.receive()
        assert isinstance(frame.body, Response)
        assert frame.body.file
        numbers.add(frame.body.file.fd)
    assert len(numbers) == 63
    caller.send(Request("GET", "http", "localhost", "/text"), 127, last=True)
    assert caller.receive().stream_id == 127
    assert caller.content() == b"fine"
    for number in range(63):
        caller.send(Reset("OK"), 2 * number + 1)
    assert {caller.receive().stream_id for _ in range(63)} == {2 * number + 1 for number in range(63)}
    assert not held(caller, path)


@pytest.mark.parametrize(
    ("method", "query", "accept"),
    [("GET", "", False), ("HEAD", "", True), ("POST", "", True), ("GET", "?1000", True)],
    ids=["not-asked-for", "head", "post", "small"],
)
def test_what_is_sent_as_ever(caller: Caller, path: Path, method: str, query: str, accept: bool) -> None:
    caller.send(get(path, query, method, accept=accept), 1, last=True)
    frame = caller.receive()
    assert isinstance(frame.body, Response)
    assert frame.body.file is None
    assert frame.end_stream == (method == "HEAD")


def test_a_file_that_is_shorter_than_its_answer_is_sent_as_ever(caller: Caller, path: Path) -> None:
    caller.send(get(path, f"?{SIZE + 1}"), 1, last=True)
    body = caller.receive().body
    assert isinstance(body, Response)
    assert body.file is None


@pytest.mark.parametrize("start", [0, 1, 999_999])
def test_a_request_s_content_is_read_from_its_file(caller: Caller, path: Path, start: int) -> None:
    with path.open("rb") as file:
        told = described(file.fileno(), start, SIZE - start)
        assert told
        for number, target in ((1, "/count"), (3, "/echo")):
            caller.send(post(target, told), number, last=True)
            assert isinstance(caller.receive().body, Response)
            content = CONTENT[start:] if target == "/echo" else str(SIZE - start).encode()
            if target == "/echo":  # it comes as its credit allows
                caller.send(Reset("CANCELLED"), number)
                break
            assert caller.content() == content


def write_only(path: Path) -> int:
    return os.open(path, os.O_WRONLY)


def by_name_alone(path: Path) -> int:
    return os.open(path, os.O_PATH)


def pipe(_: Path) -> int:
    source, sink = os.pipe()
    os.close(sink)
    return source


def another(path: Path) -> int:
    path.with_name("other").write_bytes(CONTENT)
    return os.open(path.with_name("other"), os.O_RDONLY)


def folder(path: Path) -> int:
    return os.open(path.parent, os.O_RDONLY)


def device(_: Path) -> int:
    return os.open(os.devnull, os.O_RDWR)


@pytest.mark.parametrize("opened", [write_only, by_name_alone, pipe, another, folder, device])
def test_a_descriptor_that_is_not_what_was_told_is_refused(
    caller: Caller, path: Path, opened: Callable[[Path], int]
) -> None:
    with path.open("rb") as file:
        told = described(file.fileno(), 0, SIZE)
    assert told
    descriptor = opened(path)
    try:
        refused(caller, told._replace(fd=descriptor))
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": SIZE + 1},
        {"size": 10**18, "length": 10**18},
        {"offset": 1},
        {"offset": 2**64 - SIZE},
        {"inode": 0},
        {"device": 0},
        {"fd": 2**32 - 1},
    ],
    ids=str,
)
def test_a_file_that_is_described_wrongly_is_refused(
    caller: Caller, path: Path, wrong: dict[str, int]
) -> None:
    with path.open("rb") as file:
        told = described(file.fileno(), 0, SIZE)
        assert told
        refused(caller, told._replace(**wrong))


def refused(caller: Caller, told: File) -> None:
    """The application sees nothing of it, and the next request is served."""
    caller.send(post("/crash", told), 1, last=True)
    body = caller.receive().body
    assert isinstance(body, Reset)
    assert (body.code, body.unprocessed) == ("FAILED_PRECONDITION", True)
    caller.send(Request("GET", "http", "localhost", "/text"), 3, last=True)
    assert isinstance(caller.receive().body, Response)


def test_files_of_a_caller_that_does_not_share_them_are_refused(path: Path) -> None:
    caller, _ = begin(COMMAND, offer=False)
    with caller, path.open("rb") as file:
        told = described(file.fileno(), 0, SIZE)
        assert told
        refused(caller, told)


def begin_to_read(caller: Caller, file: BinaryIO) -> None:
    """The plugin has read some of the content of stream 1, which is in ``file``, and waits with the rest."""
    told = described(file.fileno(), 0, SIZE)
    assert told
    caller.send(post("/count_resumed", told), 1, last=True)
    caller.send(Request("GET", "http", "localhost", "/stalling"), 3, last=True)
    assert caller.receive().stream_id == 3


def test_content_that_is_cut_while_it_is_read_is_never_taken_for_whole(caller: Caller, path: Path) -> None:
    with path.open("r+b") as file:
        begin_to_read(caller, file)
        file.truncate(SIZE // 2)
        caller.send(Request("GET", "http", "localhost", "/resume"), 5, last=True)
        frames = {frame.stream_id: frame.body for frame in (caller.receive(), caller.receive())}
        body = frames[1]
        assert isinstance(body, Reset)
        assert (body.code, body.unprocessed) == ("DATA_LOSS", False)


def test_a_caller_that_gives_up_stops_the_reading(caller: Caller, path: Path) -> None:
    with path.open("rb") as file:
        begin_to_read(caller, file)
        caller.send(Reset("CANCELLED"), 1)
        caller.send(Request("GET", "http", "localhost", "/resume"), 5, last=True)
        bodies = {frame.stream_id: frame.body for frame in (caller.receive(), caller.receive())}
        body = bodies[1]
        assert isinstance(body, Reset)
        assert body.code == "CANCELLED"
        assert not held(caller, path)
