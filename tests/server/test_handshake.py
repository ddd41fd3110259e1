"""Before the ready mark: who may end a plugin, and what it says then."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.link.waiting import until
from tests.server.raw import PLUGIN, frames_in, raw
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, GoAway, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = [signal.SIGINT, signal.SIGTERM]
TOLD = [Frame(0, GoAway(0, "UNAVAILABLE", "the plugin was told to end"))]
SOON = 20.0
"""Seconds within which a plugin is gone that waits for nothing. A store is waited for longer."""

Child = subprocess.Popen[bytes]


@pytest.fixture
def child() -> Iterator[Child]:
    with subprocess.Popen(
        PLUGIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as child:
        try:
            yield child
        finally:
            child.kill()


@pytest.fixture
def waiting(child: Child) -> Iterator[Child]:
    """A plugin whose store takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as store:
        environment = {
            "REGISTRY_STORAGE": "s3",
            "REGISTRY_STORAGE_S3_BUCKET": "bucket",
            "REGISTRY_STORAGE_S3_REGION": "us-east-1",
            "REGISTRY_STORAGE_S3_ACCESSKEY": "key",
            "REGISTRY_STORAGE_S3_SECRETKEY": "secret",
            "REGISTRY_STORAGE_S3_REGIONENDPOINT": f"http://127.0.0.1:{store.getsockname()[1]}",
        }
        say(child, Settings([1], environment=environment))
        store.settimeout(60)
        connection, _ = store.accept()
        with connection:
            yield child


def say(child: Child, *bodies: Settings | GoAway) -> None:
    assert child.stdin
    child.stdin.write(b"".join(encode(Frame(0, body)) for body in bodies))


def end_of(child: Child) -> tuple[int, list[Frame], str]:
    """Exit status, frames and standard error."""
    status = child.wait(SOON)
    assert child.stdout
    assert child.stderr
    frames = [] if child.stdout.closed else frames_in(child.stdout.read())
    return status, frames, child.stderr.read().decode()


def wait_until_it_heeds(child: Child) -> None:
    """Returns once TERM no longer ends the process by itself (Linux)."""
    bit, status = 1 << signal.SIGTERM - 1, Path(f"/proc/{child.pid}/status")
    until(lambda: int(status.read_text().partition("SigCgt:")[2].split()[0], 16) & bit)


def test_a_plugin_is_gone_when_its_caller_dies_while_the_store_does_not_answer(waiting: Child) -> None:
    assert waiting.stdin
    assert waiting.stdout
    waiting.stdin.close()
    waiting.stdout.close()
    assert end_of(waiting) == (1, [], "")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_plugin_goes_away_when_told_to_while_the_store_does_not_answer(
    waiting: Child, number: signal.Signals
) -> None:
    waiting.send_signal(number)
    assert end_of(waiting) == (0, TOLD, "")


@pytest.mark.skipif(sys.platform != "linux", reason="which signals a process heeds is read from /proc")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_plugin_goes_away_when_told_to_before_settings(child: Child, number: signal.Signals) -> None:
    wait_until_it_heeds(child)
    child.send_signal(number)
    assert end_of(child) == (0, TOLD, "")


TOLD_BY_ITSELF = """
import os, signal, threading
from tests.server.apps import Service
from udist_plugin.server.link import ServerLink
from udist_plugin.server.stdio import serve
from udist_plugin.server.streams import take_standard_streams

said, go_away = threading.Event(), ServerLink.go_away

def say(*arguments):
    go_away(*arguments)
    said.set()
    threading.Event().wait()

def build(*_):
    os.kill(os.getpid(), signal.SIGTERM)
    said.wait()
    return Service()

ServerLink.go_away = say
serve(*take_standard_streams(), build)
"""
"""A plugin that gets ready just after it has said that it goes away, and takes its time to end then."""


def test_nothing_follows_a_go_away_that_came_before_the_settings() -> None:
    hello = encode(Frame(0, Settings([1])))
    with subprocess.Popen(
        [sys.executable, "-c", TOLD_BY_ITSELF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(hello)
        assert child.wait(SOON) == 0
        assert frames_in(child.stdout.read()) == TOLD


def test_a_caller_may_go_away_before_its_settings() -> None:
    status, frames, errors = raw(encode(Frame(0, GoAway(0, "OK", "changed my mind"))))
    assert (status, frames) == (1, [])
    assert errors.count("\n") == 1
    assert "the caller is going away" in errors


def test_a_caller_may_go_away_right_behind_its_settings(tmp_path: Path) -> None:
    root = {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(tmp_path)}
    hello = encode(Frame(0, Settings([1], environment=root)))
    status, frames, errors = raw(hello + encode(Frame(0, GoAway(0, "OK"))))
    assert (status, len(frames)) == (1, 1)
    assert isinstance(frames[0].body, Settings)
    assert "the caller is going away" in errors


def test_an_input_that_ends_before_the_settings_is_one_line(child: Child) -> None:
    assert child.stdin
    child.stdin.close()
    status, frames, errors = end_of(child)
    assert (status, frames, errors.count("\n")) == (0, [], 1)
    assert "the caller has closed standard input before its settings" in errors


def test_a_caller_that_dies_before_its_settings(child: Child) -> None:
    assert child.stdin
    assert child.stdout
    child.stdout.close()
    child.stdin.close()
    assert end_of(child)[0] == 1


@pytest.mark.parametrize(("redirection", "which"), [("<&-", "input"), (">&-", "output")])
def test_a_standard_stream_that_is_closed_is_one_line(redirection: str, which: str) -> None:
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *PLUGIN]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    expected = f"udist-plugin: standard {which} is closed; expected a pipe to the program that starts it\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (64, "", expected)
