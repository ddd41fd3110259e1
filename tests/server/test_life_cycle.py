"""What ends a plugin, and what must not: signals, dead callers, full pipes, stalled disks."""

from __future__ import annotations

import array
import fcntl
import hashlib
import io
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import COMMAND
from tests.server.raw import PLUGIN, raw
from tests.tools import require_tool
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import DeadlineExceeded, HandshakeFailed, PluginDied, TransportError
from udist_plugin.version import IMPLEMENTATION, SAME_RELEASE
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, GoAway, Request, Reset, Settings
from udist_plugin.wire.library import decode_with_library

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20


def registry(root: Path) -> Plugin:
    return Plugin(None, {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(root)})


def push(plugin: Plugin, content: bytes, body: io.BytesIO | None = None) -> int:
    """Pushes a blob and returns the status."""
    with plugin.request("POST", "/v2/a/b/blobs/uploads/", body=b"") as response:
        location = response.header("location") or ""
    digest = hashlib.sha256(content).hexdigest()
    mark = "&" if "?" in location else "?"
    headers = [("content-length", str(len(content)))]
    target = f"{location}{mark}digest=sha256:{digest}"
    with plugin.request("PUT", target, headers, body or io.BytesIO(content)) as response:
        response.read()
        return response.status


def status_of(plugin: Plugin, content: bytes) -> int:
    target = f"/v2/a/b/blobs/sha256:{hashlib.sha256(content).hexdigest()}"
    with plugin.request("GET", target) as response:
        if response.status == 200:
            assert response.read() == content
        return response.status


def gone_within(pid: int, seconds: float) -> bool:
    """Whether a process that is not our child ends in time (Linux)."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def test_standard_error_that_nobody_reads_stops_no_request(tmp_path: Path) -> None:
    fifo = tmp_path / "stderr"
    os.mkfifo(fifo)
    unread = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with Plugin(command=["sh", "-c", f"exec {' '.join(COMMAND)} 2>{fifo}"]) as plugin:
            for _ in range(3):
                with plugin.request("GET", "/shout/5000", timeout=60) as response:
                    assert response.read() == b"shouted"
            assert len(os.read(unread, 65536)) > 4096
    finally:
        os.close(unread)


def test_small_requests_pass_by_responses_that_nobody_reads(plugin: Plugin) -> None:
    unread = [plugin.request("GET", f"/zeros/{100 * MIB}") for _ in range(63)]
    for _ in range(100):
        with plugin.request("POST", "/echo", body=b"small", timeout=30) as response:
            assert response.read() == b"small"
    last = plugin.request("GET", f"/zeros/{100 * MIB}")
    with pytest.raises(DeadlineExceeded):
        plugin.request("GET", "/environ", timeout=0.2)  # every slot is taken
    for response in [*unread, last]:
        response.close()
    with plugin.request("GET", "/environ", timeout=30) as response:
        assert response.status == 200


def test_a_stalled_disk_stops_its_own_request_alone(plugin: Plugin) -> None:
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(lambda: plugin.request("GET", "/stall").read())
        for _ in range(20):
            with plugin.request("POST", "/count", body=bytes(MIB), timeout=30) as response:
                assert response.read() == str(MIB).encode()
        assert not stalled.done()
        with plugin.request("GET", "/resume") as response:
            assert response.status == 204
        assert stalled.result(30) == b"late"


def test_prints_of_an_application_never_reach_the_protocol() -> None:
    lines: list[str] = []
    with (
        Plugin(command=COMMAND, log=lines.append) as plugin,
        plugin.request("GET", "/text") as response,
    ):
        assert response.read() == b"fine"
    assert "a print that must not reach the protocol" in lines
    assert "nor may this" in lines


def test_a_plugin_outlives_the_thread_that_spawned_it() -> None:
    spawned: list[Plugin] = []
    thread = threading.Thread(target=lambda: spawned.append(Plugin(command=COMMAND)))
    thread.start()
    thread.join()
    with spawned[0] as plugin:
        for _ in range(10):
            with plugin.request("POST", "/echo", body=b"x") as response:
                assert response.read() == b"x"


def test_fifty_plugins_start_at_once(tmp_path: Path) -> None:
    def start(number: int) -> int:
        with registry(tmp_path) as plugin:
            return push(plugin, f"blob {number}".encode())

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(start, range(50))) == [201] * 50


SEVENTY = """
import fcntl, hashlib, io, os, sys
from contextlib import ExitStack, suppress
from udist_plugin import Plugin

content = bytes(range(256)) * 4096
target = "/v2/a/b/blobs/sha256:" + hashlib.sha256(content).hexdigest()
environ = {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": sys.argv[1]}
with ExitStack() as stack:
    pipes = [end for _ in range(70) for end in os.pipe()]
    for end in pipes:
        with suppress(PermissionError):
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 1 << 20)
    sizes = {fcntl.fcntl(end, fcntl.F_GETPIPE_SZ) for end in pipes}
    plugins = [stack.enter_context(Plugin(None, environ, files=False)) for _ in range(70)]
    for plugin in plugins:
        with plugin.request("POST", "/v2/a/b/blobs/uploads/", body=b"") as response:
            location = response.header("location")
        mark = "&" if "?" in location else "?"
        digest = target.rpartition("/")[2]
        with plugin.request("PUT", f"{location}{mark}digest={digest}", body=content) as response:
            assert response.status == 201, response.status
        with plugin.request("GET", target) as response:
            assert response.read() == content
print(min(sizes), max(sizes))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the budget for pipes is Linux's")
def test_seventy_plugins_of_a_user_without_privileges(tmp_path: Path) -> None:
    """Whose budget for pipes is used up: theirs get a page or two."""
    drop = [require_tool("setpriv"), "--bounding-set", "-sys_resource,-sys_admin"] if os.getuid() == 0 else []
    command = [*drop, sys.executable, "-c", SEVENTY, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    smallest, largest = map(int, result.stdout.split())
    assert smallest < largest == MIB


CALLER = """
import sys, threading
from udist_plugin import Plugin

plugin = Plugin(command=[sys.executable, "-m", "tests.server.apps"])
unread = plugin.request("GET", "/zeros/1000000000")

class Endless:
    def read(self, size):
        ready.set()
        return bytes(size)

ready = threading.Event()
threading.Thread(target=lambda: plugin.request("POST", "/count", body=Endless()), daemon=True).start()
ready.wait()
print(plugin.pid, flush=True)
sys.stdin.read()
"""


def test_a_plugin_is_gone_a_second_after_its_caller_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CALLER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as caller:
        assert caller.stdout
        pid = int(caller.stdout.readline())
        caller.kill()
        assert gone_within(pid, 1.0)


class Deadly(io.BytesIO):
    """A body whose reader kills the plugin on the way."""

    def __init__(self, content: bytes, plugin: Plugin) -> None:
        super().__init__(content)
        self._plugin = plugin

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= 8 * MIB:
            os.kill(self._plugin.pid, signal.SIGKILL)
        return super().read(size)


def test_a_push_cut_by_the_plugin_s_death_can_be_repeated(tmp_path: Path) -> None:
    content = os.urandom(MIB) * 64
    plugin = registry(tmp_path)
    with pytest.raises(PluginDied, match="SIGKILL") as caught:
        push(plugin, content, Deadly(content, plugin))
    assert (caught.value.retryable, caught.value.code) == (True, "UNAVAILABLE")
    plugin.close()
    with registry(tmp_path) as plugin:
        assert status_of(plugin, content) == 404
        assert push(plugin, content) == 201
        assert status_of(plugin, content) == 200


@pytest.mark.parametrize(
    ("method", "retryable"), [("GET", True), ("PUT", True), ("POST", False), ("PATCH", False)]
)
def test_what_a_dying_plugin_may_have_seen_is_repeated_only_if_that_does_no_harm(
    plugin: Plugin, method: str, retryable: bool
) -> None:
    with pytest.raises(PluginDied) as caught:
        plugin.request(method, "/crash")
    assert caught.value.retryable is retryable


INTERRUPTED = """
import os, signal, sys, threading
from udist_plugin import Plugin

with Plugin(command=[sys.executable, "-m", "tests.server.apps"]) as plugin:
    with plugin.request("GET", "/environ") as response:
        assert response.status == 200

    def interrupt():
        with plugin.request("GET", "/stalling") as response:
            assert response.status == 204
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    try:
        plugin.request("GET", "/stall")
    except KeyboardInterrupt:
        with plugin.request("GET", "/resume") as response:
            assert response.status == 204
        print("goes on")
"""


def test_an_interrupt_between_frames_leaves_the_connection_whole() -> None:
    result = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.stdout, result.stderr) == ("goes on\n", "")


def test_closing_finishes_what_was_begun(plugin: Plugin) -> None:
    response = plugin.request("GET", f"/zeros/{20 * MIB}")
    closing = threading.Thread(target=plugin.close)
    closing.start()
    assert len(response.read()) == 20 * MIB
    closing.join(30)
    assert plugin.status == 0
    with pytest.raises(PluginDied):
        plugin.request("GET", "/environ")


def test_closing_waits_for_a_reader_that_takes_its_time(plugin: Plugin) -> None:
    response = plugin.request("GET", f"/zeros/{12 * MIB}")
    closing = threading.Thread(target=plugin.close)
    closing.start()
    total = 0
    while data := response.read(64 << 10):
        total += len(data)
        time.sleep(0.01)  # of what a window grants at once, longer than a frame is waited for
    assert total == 12 * MIB
    closing.join(30)
    assert plugin.status == 0


def test_a_plugin_told_to_end_finishes_and_takes_nothing_new() -> None:
    lines: list[str] = []
    with Plugin(command=COMMAND, log=lines.append) as plugin:
        with plugin.request("GET", "/environ") as response:
            assert response.status == 200
        response = plugin.request("GET", f"/zeros/{20 * MIB}")
        os.kill(plugin.pid, signal.SIGTERM)
        assert len(response.read()) == 20 * MIB
        with pytest.raises(TransportError) as caught:  # a request that crosses the go-away is refused
            while True:
                plugin.request("GET", "/environ", timeout=30).close()
        assert (caught.value.code, caught.value.retryable) == ("UNAVAILABLE", True)
    assert plugin.status == 0


def test_a_plugin_may_be_told_to_end_as_soon_as_it_is_ready() -> None:
    for _ in range(5):
        with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
            assert child.stdin
            assert child.stdout
            child.stdin.write(encode(Frame(0, Settings([1]))))
            assert child.stdout.read(1) == b"\0"
            child.send_signal(signal.SIGTERM)
            assert child.wait(20) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="how full a pipe is, and can be, differs elsewhere")
def test_a_plugin_told_to_end_does_not_wait_for_a_caller_that_reads_nothing() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
        assert child.stdin
        assert child.stdout
        frames = [Frame(0, Settings([1]))]
        frames += [Frame(key, Request("GET", "http", "", f"/zeros/{MIB}"), True) for key in range(1, 40, 2)]
        child.stdin.write(b"".join(map(encode, frames)))
        wait_until_full(child.stdout.fileno())
        for _ in range(3):
            child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 1  # the drain took too long


def wait_until_full(descriptor: int) -> None:
    """Returns once a pipe holds about as much as it takes (Linux)."""
    held = array.array("i", [0])
    deadline = time.monotonic() + 30
    while held[0] < 900_000 and time.monotonic() < deadline:
        fcntl.ioctl(descriptor, termios.FIONREAD, held)
    assert held[0] >= 900_000


def test_a_crash_is_named_with_its_last_words(plugin: Plugin) -> None:
    with pytest.raises(PluginDied, match=r"exit status 3.*\nthe last word") as caught:
        plugin.request("GET", "/crash")
    assert (caught.value.status, caught.value.stderr) == (3, "the last word")


HELLO = encode(Frame(0, Settings([1], environment={"REGISTRY_STORAGE": "inmemory"})))


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 76, "begins with byte 0, this one with 0x47"),
        (b"\n", 76, "begins with byte 0, this one with 0x0a"),
        (HELLO + b"\0\0\0\0\x03abc", 76, "not a Frame"),
        (HELLO + b"\0\xff\0\0\0", 76, "exceeds the limit"),
        (HELLO + b"\0\0\0", 76, "ended within a frame"),
        (HELLO + HELLO, 76, "settings twice"),
        (encode(Frame(0, Settings([2, 3]))), 78, "no common version: the peer speaks 2, 3, this side 1"),
        (
            encode(Frame(0, Settings([2], implementation="udist-go/99.0.0"))),
            78,
            f"the peer (udist-go/99.0.0) speaks 2, this side 1 ({IMPLEMENTATION}); {SAME_RELEASE}",
        ),
        (b"", 0, ""),
        (HELLO, 0, ""),
    ],
)
def test_broken_input_is_named_and_ends_the_plugin(data: bytes, status: int, words: str) -> None:
    returned, frames, errors = raw(data)
    assert (returned, "Traceback" in errors) == (status, False)
    assert words in errors
    if data.startswith(HELLO):
        assert isinstance(frames[0].body, Settings)


def test_a_wrong_configuration_is_told_to_the_caller_before_anything_is_served(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("version: 0.1\nlog:\n  level: loud\n")
    status, frames, errors = raw(encode(Frame(0, Settings([1]))), "--config", str(file))
    assert status == 78
    assert isinstance(frames[0].body, GoAway)
    for words in ("log.level", "config.yml:3", "info"):
        assert words in frames[0].body.message
        assert words in errors


def test_a_configuration_from_both_sides_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("version: 0.1\nstorage: inmemory\n")
    with pytest.raises(HandshakeFailed, match="expected one"):
        Plugin("version: 0.1\n", command=[*PLUGIN, "--config", str(file)])


def test_a_caller_that_says_nothing_meets_the_time_it_gave() -> None:
    """Whichever thread reads: a read of standard input by itself would wait for ever."""
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(encode(Frame(0, Settings([1]))))
        assert select.select([child.stdout], [], [], 30)[0]
        child.stdout.read(1 << 16)
        for number in range(1, 10, 2):
            child.stdin.write(encode(Frame(number, Request("POST", "http", "", "/count", (), 20))))
            assert select.select([child.stdout], [], [], 30)[0]
            frame, _ = decode_with_library(child.stdout.read(1 << 16)[5:])
            assert isinstance(frame.body, Reset)
            assert (frame.stream_id, frame.body.code) == (number, "DEADLINE_EXCEEDED")
        child.stdin.close()


def test_on_a_terminal_it_explains_itself() -> None:
    parent, child = pty.openpty()
    try:
        result = subprocess.run(PLUGIN, stdin=child, capture_output=True, timeout=30, check=False)
    finally:
        os.close(parent)
        os.close(child)
    assert result.returncode == 64
    assert b"udist push" in result.stderr
