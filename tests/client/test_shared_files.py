"""Content in files, between a program and the plugin that it has spawned."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin import AsyncPlugin
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import Cancelled, DeadlineExceeded, PluginDied, TransportError
from udist_plugin.link.errors import ContentCut
from udist_plugin.link.file_content import FileContent
from udist_plugin.link.files import PeerFiles, described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from udist_plugin.client.response import Response
    from udist_plugin.wire.frames import File

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux opens another's descriptors")

SIZE = 1_500_000
CONTENT = os.urandom(SIZE)
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
BLOB = f"/v2/demo/blobs/{DIGEST}"


def registry(tmp_path: Path, **options: Any) -> Plugin:
    return Plugin({"storage": {"filesystem": {"rootdirectory": tmp_path / "store"}}}, {}, **options)


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Plugin]:
    """Has the blob ``BLOB`` in a folder."""
    with registry(tmp_path) as plugin:
        push(plugin, CONTENT)
        yield plugin


def push(plugin: Plugin, body: Any, **fields: str) -> Response:
    with plugin.request("POST", f"/v2/demo/blobs/uploads/?digest={DIGEST}", fields, body) as answer:
        assert answer.status == 201, answer.read()
    return answer


def in_file(response: Response) -> bool:
    return isinstance(response._content, FileContent)


def stored(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "store").rglob(f"blobs/sha256/*/{DIGEST[7:]}/data")
    return path


def test_a_blob_is_read_from_the_store_s_own_file(plugin: Plugin) -> None:
    with plugin.request("GET", BLOB) as response:
        assert in_file(response)
        assert (response.status, response.header("content-length")) == (200, str(SIZE))
        assert response.read(10) == CONTENT[:10]
        buffer = bytearray(1000)
        assert response.readinto(buffer) == 1000
        assert buffer == CONTENT[10:1010]
        assert b"".join(response) == CONTENT[1010:]
        assert response.read() == response.read(5) == b""
        assert response.trailers == []


def test_ranges_conditions_and_errors_are_answered_as_ever(plugin: Plugin) -> None:
    for fields, status, content, shared in (
        ({"range": "bytes=7-"}, 206, CONTENT[7:], True),
        ({"range": f"bytes=7-{SIZE}"}, 206, CONTENT[7:], True),
        ({"range": "bytes=1-600000"}, 206, CONTENT[1:600_001], True),
        ({"range": "bytes=7-9"}, 206, CONTENT[7:10], False),
        ({"if-none-match": f'"{DIGEST}"'}, 304, b"", False),
    ):
        with plugin.request("GET", BLOB, fields) as response:
            assert (response.status, in_file(response)) == (status, shared)
            assert response.read() == content
    with plugin.request("HEAD", BLOB) as response:
        assert (response.header("content-length"), response.read()) == (str(SIZE), b"")
    with plugin.request("GET", BLOB.replace(DIGEST, "sha256:" + 64 * "0")) as response:
        assert response.status == 404


def test_what_is_open_outlives_its_name_and_its_plugin(tmp_path: Path) -> None:
    with registry(tmp_path) as plugin:
        push(plugin, CONTENT)
        response = plugin.request("GET", BLOB)
        stored(tmp_path).unlink()
        plugin.cancel()
    assert plugin.status == 0
    with response:
        assert response.read() == CONTENT


def test_no_descriptor_is_left(plugin: Plugin, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    for _ in range(3):
        plugin.request("GET", BLOB).close()
        plugin.request("GET", BLOB).read()
        with path.open("rb") as file:
            push(plugin, file)
    data = stored(tmp_path)
    assert not {str(data), str(path)} & open_files(os.getpid())
    end = time.monotonic() + 60
    while {str(data), str(path)} & open_files(plugin.pid):  # it closes one behind its answer
        assert time.monotonic() < end
        plugin.request("GET", "/v2/").close()


def open_files(pid: int) -> set[str]:
    folder = f"/proc/{pid}/fd"
    return {os.path.realpath(f"{folder}/{name}") for name in os.listdir(folder)}


def test_one_that_is_neither_read_nor_closed_is_closed(plugin: Plugin) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.warns(ResourceWarning, match="unclosed <Response 200>"):
        plugin.request("GET", BLOB)
    assert os.listdir("/proc/self/fd") == before


def test_the_time_allowed_counts_for_files_too(plugin: Plugin) -> None:
    with plugin.request("GET", BLOB, timeout=60) as response:
        assert isinstance(response._content, FileContent)
        assert response.read(10)
        response._content.deadline = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            response.read(10)


def test_a_file_that_is_cut_is_an_error(plugin: Plugin, tmp_path: Path) -> None:
    with plugin.request("GET", BLOB) as response:
        os.truncate(stored(tmp_path), SIZE - 1)
        with pytest.raises(ContentCut, match="1 bytes of the content are missing") as caught:
            response.read()
        assert caught.value.code == "DATA_LOSS"
    push(plugin, CONTENT)
    with plugin.request("GET", BLOB) as response, (tmp_path / "out").open("wb") as out:
        os.truncate(stored(tmp_path), SIZE - 1)
        with pytest.raises(ContentCut):
            response.copy_to(out)


def test_any_thread_may_close_it_while_it_is_read(plugin: Plugin) -> None:
    """Nothing is read from a descriptor that has become another's."""
    response = plugin.request("GET", BLOB)
    buffer = bytearray(10)

    def read() -> None:
        while response.readinto(buffer):
            pass

    def closes(_: object) -> None:
        response.close()

    with pytest.raises(Cancelled, match="closed"):
        response.readinto(buffer)
        threading.Timer(0, closes, [None]).start()
        read()


@pytest.mark.parametrize("buffering", [-1, 0])
def test_content_is_copied_to_a_file(plugin: Plugin, tmp_path: Path, buffering: int) -> None:
    with (tmp_path / "out").open("wb", buffering) as out, plugin.request("GET", BLOB) as response:
        out.write(b"before")
        assert response.read(10) == CONTENT[:10]
        assert response.copy_to(out) == SIZE - 10
        out.write(b"behind")
    assert (tmp_path / "out").read_bytes() == b"before" + CONTENT[10:] + b"behind"


def test_content_is_copied_to_what_the_kernel_cannot_copy_to(plugin: Plugin, tmp_path: Path) -> None:
    out = io.BytesIO()
    for target in (BLOB, "/v2/"):
        with plugin.request("GET", target) as response:
            out = io.BytesIO()
            assert response.copy_to(out) == len(out.getvalue())
    assert out.getvalue() == b"{}"
    with (tmp_path / "out").open("ab") as appended, plugin.request("GET", BLOB) as response:
        assert response.copy_to(appended) == SIZE
    assert (tmp_path / "out").read_bytes() == CONTENT


class Shouting(io.FileIO):
    """Reads and writes something else than its file has."""

    def write(self, data: Any) -> int:
        return super().write(bytes(data).upper())

    def read(self, size: int | None = -1) -> bytes:
        return (super().read(size) or b"").upper()


class Counting(io.RawIOBase):
    """Has no descriptor."""

    count = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.count += len(data)
        return len(data)


def test_a_class_of_the_user_s_own_has_its_say(plugin: Plugin, tmp_path: Path) -> None:
    with Shouting(tmp_path / "out", "w") as out, plugin.request("GET", BLOB) as response:
        assert response.copy_to(out) == SIZE
    assert (tmp_path / "out").read_bytes() == CONTENT.upper()
    counting = Counting()
    with io.BufferedWriter(counting) as buffered, plugin.request("GET", BLOB) as response:
        assert response.copy_to(buffered) == SIZE
    assert counting.count == SIZE
    (tmp_path / "in").write_bytes(CONTENT)
    digest = f"sha256:{hashlib.sha256(CONTENT.upper()).hexdigest()}"
    with Shouting(tmp_path / "in") as body:
        answer = plugin.request("POST", f"/v2/demo/blobs/uploads/?digest={digest}", body=body)
    assert answer.status == 201


@pytest.mark.parametrize("buffering", [-1, 0])
@pytest.mark.parametrize("start", [0, 4096, 7])
def test_a_body_that_is_a_file_is_read_by_the_plugin(tmp_path: Path, buffering: int, start: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(start) + CONTENT)
    with registry(tmp_path, trace=tmp_path / "trace") as plugin:
        for length in ({}, {"content-length": str(SIZE)}):
            with path.open("rb", buffering) as file:
                assert file.read(start) == bytes(start)
                push(plugin, file, **length)
                assert file.tell() == start + SIZE
        assert stored(tmp_path).read_bytes() == CONTENT
    told = [request["file"] for request in requests(tmp_path / "trace")]
    assert [(int(file.get("offset", 0)), int(file["length"])) for file in told] == [(start, SIZE)] * 2


def requests(trace: Path) -> list[Any]:
    """Those of a trace."""
    lines = map(json.loads, trace.read_text().splitlines())
    return [line["frame"]["request"] for line in lines if "request" in line.get("frame", ())]


def test_bodies_that_are_sent_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    small = tmp_path / "small"
    small.write_bytes(b"x" * 1000)
    with registry(tmp_path, trace=tmp_path / "trace") as plugin:
        with path.open("r+b") as both, path.open("rb") as file, small.open("rb") as few:
            push(plugin, both)
            push(plugin, io.BytesIO(CONTENT))
            push(plugin, iter([file.read()]))
            with plugin.request("GET", "/v2/", body=few) as answer:
                assert answer.status == 200
        with path.open("rb") as file, pytest.raises(TransportError, match="ended 1 bytes before its end"):
            push(plugin, file, **{"content-length": str(SIZE + 1)})
    assert not any("file" in request for request in requests(tmp_path / "trace"))


def test_content_that_changes_before_it_is_stored_is_not_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT[:-1] + b"?")
    target = f"/v2/demo/blobs/uploads/?digest={DIGEST}"
    with registry(tmp_path) as plugin, path.open("rb") as file:
        with plugin.request("POST", target, body=file) as answer:
            assert answer.status == 400
            assert b"DIGEST_INVALID" in answer.read()
        assert plugin.request("HEAD", BLOB).status == 404


@pytest.mark.parametrize("way", ["pull", "push"])
def test_where_files_cannot_be_opened_content_is_sent(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a sandbox that hides other processes; and no file is tried again."""
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with registry(tmp_path, trace=tmp_path / "trace") as plugin, path.open("rb") as file:
        before = plugin.link.shares_files
        if way == "pull":
            push(plugin, CONTENT)
            monkeypatch.setattr(PeerFiles, "open", lambda *_: os.open("/nowhere", os.O_RDONLY))
            for _ in range(2):
                with plugin.request("GET", BLOB) as response:
                    assert not in_file(response)
                    assert response.read() == CONTENT
        else:
            monkeypatch.setattr("udist_plugin.link.files.described", wrong)
            push(plugin, file)
            file.seek(0)
            monkeypatch.undo()
            push(plugin, file)
        assert (before, plugin.link.shares_files) == (True, False)
    asked = [request for request in requests(tmp_path / "trace") if {"accept_file", "file"} & request.keys()]
    assert len(asked) == 1


def wrong(descriptor: int, offset: int, length: int) -> File:
    """Tells of another file than the one that is open."""
    told = described(descriptor, offset, length)
    assert told
    return told._replace(inode=told.inode + 1)


def test_files_are_shared_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "udist_plugin"]
    for options, shared in (
        ({}, True),
        ({"files": False}, False),
        ({"command": command}, False),
        ({"command": command, "files": True}, True),
        ({"command": ["sh", "-c", f"{shlex.join(command)}; exit"], "files": True}, False),
    ):
        with registry(tmp_path, **options) as plugin:
            assert plugin.link.shares_files is shared
    monkeypatch.setenv("UDIST_PLUGIN", shlex.join(command))
    with registry(tmp_path) as plugin:
        assert not plugin.link.shares_files


def test_tasks_read_files_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)

    config = {"storage": {"filesystem": {"rootdirectory": tmp_path / "store"}}}

    async def use() -> None:
        async with AsyncPlugin(config, {}) as plugin:
            with path.open("rb") as file:
                push(plugin.sync, file)
            async with await plugin.request("GET", BLOB) as response:
                assert in_file(response._response)
                assert await response.read(10) == CONTENT[:10]
                assert b"".join([piece async for piece in response]) == CONTENT[10:]
            with path.open("rb") as file:
                target = f"/v2/demo/blobs/uploads/?digest={DIGEST}"
                async with await plugin.request("POST", target, body=file) as response:
                    assert response.status == 201

    asyncio.run(use())


def test_an_upload_goes_on_where_its_file_stands(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with registry(tmp_path, trace=tmp_path / "trace") as plugin, path.open("rb") as file:
        location = plugin.request("POST", "/v2/demo/blobs/uploads/").header("location")
        assert location
        for size in (500_000, 300_000, 700_000):
            with plugin.request("PATCH", location, {"content-length": str(size)}, file) as answer:
                assert answer.status == 202
        assert file.read() == b""
        with plugin.request("PUT", f"{location}?digest={DIGEST}") as answer:
            assert answer.status == 201
    assert stored(tmp_path).read_bytes() == CONTENT
    assert sum("file" in request for request in requests(tmp_path / "trace")) == 3


PUSHING = """
import sys
from udist_plugin.client.plugin import Plugin
with Plugin({"storage": {"filesystem": {"rootdirectory": sys.argv[1]}}}, {}) as plugin:
    print(plugin.pid, plugin.link.shares_files, flush=True)
    with open(sys.argv[2], "rb") as file:
        plugin.request("POST", "/v2/demo/blobs/uploads/?digest=sha256:" + 64 * "0", body=file)
"""


@pytest.mark.parametrize("killed", ["caller", "plugin"])
def test_a_push_whose_caller_or_plugin_is_killed_leaves_nothing(tmp_path: Path, killed: str) -> None:
    endless = tmp_path / "file"
    with endless.open("wb") as file:
        file.truncate(1 << 40)
    command = [sys.executable, "-c", PUSHING, str(tmp_path / "store"), str(endless)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as caller:
        assert caller.stdout
        assert caller.stderr
        pid, shares = caller.stdout.readline().split()
        assert shares == "True"
        plugin = os.pidfd_open(int(pid))
        wait_until(
            lambda: any(path.stat().st_size for path in (tmp_path / "store").rglob("*") if path.is_file())
        )
        os.kill(caller.pid if killed == "caller" else int(pid), signal.SIGKILL)
        assert select.select([plugin], [], [], 60)[0]
        os.close(plugin)
        caller.wait(60)
        assert killed == "caller" or "PluginDied" in caller.stderr.read()
    with registry(tmp_path) as again:
        with again.request("GET", "/v2/demo/tags/list") as answer:
            assert answer.status == 404
        push(again, CONTENT)
    assert stored(tmp_path).read_bytes() == CONTENT
    assert len(list((tmp_path / "store").rglob("blobs/sha256/*/*/data"))) == 1


def wait_until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_plugin_that_is_killed_while_its_file_is_read_costs_nothing(plugin: Plugin) -> None:
    with plugin.request("GET", BLOB) as response:
        assert response.read(10) == CONTENT[:10]
        os.kill(plugin.pid, signal.SIGKILL)
        assert response.read() == CONTENT[10:]
    with pytest.raises(PluginDied):
        plugin.request("GET", BLOB)
