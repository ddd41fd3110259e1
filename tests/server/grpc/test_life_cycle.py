"""What ends a server, what does not, and that nothing is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from tests.server.grpc.hosting import APPS, PLUGIN, TIMEOUT, Call, Host, environment, head
from udist_plugin.server.grpc.sockets import PREFIX, SocketFolder
from udist_plugin.wire.generated import frame_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

END = frame_pb2.End()
BEGUN = head("PUT", "/v2/demo/manifests/latest", ("content-length", "5"))
"""It is answered when all of its content has come."""
PARENT = """
import subprocess, sys, time
with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE) as plugin:
    print(plugin.pid, plugin.stdout.readline().decode(), end="", flush=True)
    time.sleep(60)
"""
"""A host that does nothing."""


def until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.01)


def runs(process: int) -> bool:
    """Whether it does: an orphan that has ended may wait to be reaped."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_its_end_leaves_no_call_open(number: signal.Signals) -> None:
    with Host() as host:
        call = host.call()
        call.send(head=BEGUN, data=b"some")
        os.kill(host.process.pid, number)
        if number == signal.SIGTERM:
            call.send(data=b"!", end=END)
            assert call.receive().head.status == 400
        else:
            assert call.failure()[0] == "UNAVAILABLE"
        assert host.process.wait(TIMEOUT) == (0 if number == signal.SIGTERM else -number)
        assert Path(host.path).parent.exists() == (number == signal.SIGKILL)


def test_a_call_that_does_not_end_is_given_up_on_shutdown() -> None:
    with Host(APPS) as host:
        call = host.call()
        call.send(head=head("GET", f"/zeros/{1 << 30}"), end=END)
        assert call.receive().head.status == 200
        began = time.monotonic()
        assert host.close() == 0
        assert time.monotonic() - began < 5
        assert call.failure()[0] in ("CANCELLED", "UNAVAILABLE")


def test_an_interrupt_is_the_host_s_to_heed() -> None:
    with Host() as host:
        os.kill(host.process.pid, signal.SIGINT)
        assert host.exchange("GET", "/v2/").status == 200
        assert host.close() == 0


@pytest.mark.parametrize("arguments", [[], ["--keep", "0.5"]], ids=["at-once", "kept"])
def test_it_ends_when_its_host_is_killed(arguments: list[str]) -> None:
    command = [sys.executable, "-c", PARENT, *PLUGIN, *arguments]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        process, _, line = parent.stdout.readline().decode().partition(" ")
        path = line.split("|")[3]
        with grpc.insecure_channel(f"unix:{path}") as channel:
            call = Call(channel)
            call.send(head=BEGUN, data=b"some")
            parent.kill()
            parent.wait(TIMEOUT)
            if arguments:
                time.sleep(1)  # longer than it is kept for nobody
                call.send(data=b"!", end=END)
                assert call.receive().head.status == 400
                call.half_close()
                assert call.failure()[0] == "OK"
            else:
                assert call.failure()[0] == "UNAVAILABLE"
        until(lambda: not runs(int(process)), 2)
        assert not Path(path).parent.exists()


def test_what_a_killed_server_left_is_removed_by_the_next() -> None:
    with Host() as host:
        left = Path(host.path).parent
        host.process.kill()
        host.process.wait(TIMEOUT)
    os.utime(left, (0, 0))  # old enough not to belong to one that is about to listen
    with Host() as host:
        lives = Path(host.path).parent
        os.utime(lives, (0, 0))
        until(lambda: not left.exists(), TIMEOUT)
        folder = SocketFolder(str(lives.parent))
        folder.remove_abandoned()
        folder.remove()
        assert lives.exists()
        assert host.exchange("GET", "/v2/").status == 200


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    young, other = tmp_path / f"{PREFIX}young", tmp_path / "other"
    for folder in (young, other):
        folder.mkdir()
    os.utime(other, (0, 0))
    mine = SocketFolder.__new__(SocketFolder)
    mine._parent, mine._folder = str(tmp_path), str(tmp_path / "mine")
    mine.remove_abandoned()
    assert young.exists()
    assert other.exists()


def test_prints_reach_the_host_and_nothing_else(apps: Host) -> None:
    stream = apps.stdio()
    assert apps.exchange("GET", "/text").content == b"fine"
    text = b""
    while b"nor may this" not in text:
        message = next(stream)
        assert message[:3] == b"\x08\x01\x12", "go-plugin's channel of standard output"
        text += message[4:] if message[3] < 128 else message[5:]
    assert text == b"a print that must not reach the protocol\nnor may this\n"
