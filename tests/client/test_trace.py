"""A trace: what it shows, what it never shows, and that recording fails nothing."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import stat
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.documents.reading import DOCS
from tests.vectors import generate
from tests.vectors.notation import Json, expand
from udist_plugin.client.async_plugin import AsyncPlugin
from udist_plugin.client.plugin import Plugin
from udist_plugin.client.trace import recorder as recorders
from udist_plugin.client.trace.allowed import FIELDS, PARAMETERS
from udist_plugin.client.trace.recorder import Recorder
from udist_plugin.client.wake import WakePipe
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.framing import data_head

if TYPE_CHECKING:
    from pathlib import Path

TRACES = generate.load("traces.json")
IN_MEMORY: Json = {"storage": {"inmemory": {}}}
SECRET = "hunter2"


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def frames(path: Path, side: str) -> list[Json]:
    return [line["frame"] for line in lines(path) if line.get("from") == side]


def recorder(path: Path, limit: int = recorders.LIMIT) -> Recorder:
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    return Recorder(file, str(path), "udist-python/0", "/usr/bin/udist-plugin", limit)


def is_open(path: Path) -> bool:
    """Whether this process has it open."""
    return str(path) in (os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trace.jsonl"


@pytest.mark.parametrize("vector", TRACES, ids=[vector["name"] for vector in TRACES])
def test_a_frame_is_shown_as_its_vector_says_whoever_sends_it(vector: Json, path: Path) -> None:
    data = expand(vector["bytes"])
    recording = recorder(path)
    recording.sent([data])
    head = data_head(data, 0, len(data))
    recording.received(head or decode(data[5:]))
    recording.close()
    assert frames(path, "caller") == frames(path, "plugin") == [vector["trace"]]
    assert SECRET not in path.read_text()


def test_payloads_are_skipped_however_they_are_written(path: Path) -> None:
    """In one piece with their heads, behind them, in pieces, or past this process."""
    recording = recorder(path)
    settings = bytes.fromhex("00000000051a030a0101")
    head = bytes.fromhex("000000000908017a05")  # five bytes of payload on stream 1
    recording.sent([settings + head + b"\0\0\0\0\0" + settings, b"", head, b"\0\0", b"\0\0"])
    recording.passed(1)
    recording.sent([settings])
    recording.close()
    assert [next(iter(frame.keys() - {"stream_id"})) for frame in frames(path, "caller")] == [
        *("settings", "data", "settings", "data", "settings")
    ]


def test_a_real_plugin_is_recorded(path: Path, tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.write_bytes(b"x" * 400_000)
    with Plugin(IN_MEMORY, {}, trace=path, files=False) as plugin:
        with plugin.request("POST", "/v2/a/blobs/uploads/") as begun:
            location = dict(begun.headers)["location"]
        with content.open("rb") as file:
            for body in (content.read_bytes(), file):
                fields = {"content-length": "400000"}  # the file's content goes by the kernel
                with plugin.request("PATCH", location, fields, body) as answer:
                    assert answer.status == 202
    first, *others = lines(path)
    assert first.keys() == {"trace", "implementation", "program", "time"}
    assert (first["trace"], first["program"].startswith("python")) == (1, True)
    assert others[-1].keys() == {"t", "end"}
    times = [line["t"] for line in others]
    assert times == sorted(times)
    sent = [frame for frame in frames(path, "caller") if frame.get("stream_id") == 5]
    assert sent[0]["request"]["target"] == location
    assert sum(frame.get("data", 0) for frame in sent) == 400_000
    answers = [frame["response"]["status"] for frame in frames(path, "plugin") if "response" in frame]
    assert answers == [202, 202, 202]


def test_no_secret_is_recorded(path: Path) -> None:
    config = {"http": {"secret": SECRET}, "log": {SECRET: SECRET}, **IN_MEMORY}
    fields = {"authorization": f"Basic {SECRET}", "cookie": SECRET, "x-token": SECRET}
    command = ["sh", "-c", f"exec {sys.executable} -m udist_plugin", SECRET]
    with Plugin(config, {"REGISTRY_HTTP_SECRET": SECRET}, command, trace=path) as plugin:
        for target in (f"/v2/?token={SECRET}", f"/v2/a/blobs/uploads/?_state={SECRET}&{SECRET}"):
            with plugin.request("POST", target, fields, SECRET) as answer:
                answer.read()
    assert len(frames(path, "caller")) > 2
    assert lines(path)[0]["program"] == "sh"
    assert SECRET not in path.read_text()


def test_only_its_owner_may_read_it(path: Path) -> None:
    with Plugin(IN_MEMORY, {}, trace=path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_environment_names_it_unless_the_program_does(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UDIST_TRACE", str(path))
    with Plugin(IN_MEMORY, {}, trace=tmp_path / "other"):
        pass
    with Plugin(IN_MEMORY, {}, trace=""):
        pass
    assert not path.exists()
    with Plugin(IN_MEMORY, {}):
        pass
    assert [line.get("end") for line in lines(path)][-1] == "closed"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["other", "trace.jsonl"]


def test_no_trace_is_written_over(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text("mine")
    with Plugin(IN_MEMORY, {}, trace=path), Plugin(IN_MEMORY, {}, trace=path):
        pass
    assert path.read_text() == "mine"
    assert len(lines(path.with_name("trace.jsonl.2"))) == len(lines(path.with_name("trace.jsonl.3"))) == 4
    assert caplog.messages == [f"{path} exists; the trace goes to {path}.{number}" for number in (2, 3)]


def test_a_file_that_cannot_be_made_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "nowhere" / "trace.jsonl"
    with Plugin(IN_MEMORY, {}, trace=path) as plugin, plugin.request("GET", "/v2/") as answer:
        assert answer.status == 200
    assert caplog.messages == [f"cannot write a trace to {path}: No such file or directory"]


def test_a_full_disk_ends_the_trace_and_nothing_else(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(recorders, "_create", lambda name: (full, name))
    warning = f"the trace {path} ends early: No space left on device"
    with Plugin(IN_MEMORY, {}, trace=path) as plugin:
        assert caplog.messages == [warning]
        for _ in range(3):
            with plugin.request("GET", "/v2/") as answer:
                assert answer.read() == b"{}"
    assert caplog.messages == [warning]


def test_a_plugin_that_cannot_be_used_leaves_it_closed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: WakePipe) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(WakePipe, "__init__", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        Plugin(IN_MEMORY, {}, trace=path)
    assert not is_open(path)
    assert lines(path)[-1]["end"] == "closed"


def test_a_trace_has_an_end(path: Path) -> None:
    recording = recorder(path, limit=500)
    for _ in range(100):
        recording.sent([bytes.fromhex("00000000051a030a0101")])
    recording.close()
    assert 500 < path.stat().st_size < 700
    assert [line["end"] for line in lines(path) if "end" in line] == ["limit"]


def test_threads_do_not_mix_their_lines(path: Path) -> None:
    recording = recorder(path)
    frame: Any = decode(bytes.fromhex("1a030a0101"))

    def record() -> None:
        for _ in range(200):
            recording.received(frame)

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recording.close()
    times = [line["t"] for line in lines(path)[1:]]
    assert len(times) == 801
    assert times == sorted(times)


def test_a_forked_child_leaves_it_alone(path: Path) -> None:
    with Plugin(IN_MEMORY, {}, trace=path) as plugin:
        before = path.read_bytes()
        child = os.fork()
        if not child:
            plugin.close()
            os._exit(is_open(path))
        assert os.waitpid(child, 0)[1] == 0
        assert path.read_bytes() == before
    assert lines(path)[-1]["end"] == "closed"


def test_the_documentation_lists_what_is_shown() -> None:
    text = (DOCS / "trace.md").read_text()
    fields, _, parameters = text.partition("of these:")[2].partition("the parameters ")
    assert re.findall(r"`([^`]+)`", fields.partition(".\n")[0]) == sorted(FIELDS)
    assert set(re.findall(r"`([^`]+)`", parameters.partition(" of the query")[0])) == PARAMETERS


def test_what_an_event_loop_sends_is_recorded_too(path: Path) -> None:
    async def ask() -> None:
        async with (
            AsyncPlugin(IN_MEMORY, {}, trace=path) as plugin,
            await plugin.request("GET", "/v2/") as got,
        ):
            assert await got.read() == b"{}"

    asyncio.run(ask())
    assert [frame["request"]["target"] for frame in frames(path, "caller") if "request" in frame] == ["/v2/"]
