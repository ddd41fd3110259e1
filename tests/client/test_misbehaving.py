"""Every way in which a plugin misbehaves is a named error within its time, and the child is gone."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.scripted import scripted
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import (
    DeadlineExceeded,
    HandshakeFailed,
    PluginDied,
    PluginNotFound,
    StreamReset,
    TransportError,
)
from udist_plugin.testing.misbehaving import KINDS
from udist_plugin.version import IMPLEMENTATION, SAME_RELEASE
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import Frame, Reset, Response, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


def command(kind: str) -> list[str]:
    return [sys.executable, "-m", "udist_plugin.testing.misbehaving", kind]


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


CUT = "(?<!\N{EURO SIGN})\N{EURO SIGN}{4096}(?!\N{EURO SIGN})"
"""As much as is repeated of a message that is too long."""

AT_START: dict[str, tuple[type[TransportError], str]] = {
    "exit": (PluginDied, "exit status 3.*\na last word"),
    "hang": (HandshakeFailed, "did not answer the handshake within 0.5 s"),
    "text": (HandshakeFailed, "standard output contained text: Welcome to the plugin!"),
    "version": (
        HandshakeFailed,
        rf"the peer \(misbehaving/1\) speaks 2, this side 1 \({IMPLEMENTATION}\); {SAME_RELEASE}",
    ),
    "refuse-version": (HandshakeFailed, rf"this side 2 \({IMPLEMENTATION}\); {SAME_RELEASE}"),
    "refuse": (HandshakeFailed, "storage.filesystem.rootdirectory"),
    "long-refusal": (HandshakeFailed, CUT),
    "no-settings": (HandshakeFailed, "response before settings"),
}

AT_REQUEST: dict[str, tuple[type[TransportError], str]] = {
    "late-text": (TransportError, "standard output contained text: Oops, a print"),
    "long-reset": (StreamReset, CUT),
    "garbage": (TransportError, "not a Frame"),
    "oversized": (TransportError, "exceeds the limit"),
    "unopened": (TransportError, "stream 7 was never opened"),
    "head-twice": (TransportError, "a head on stream 1"),
    "bad-status": (StreamReset, "status 99"),
    "credit": (TransportError, "bytes of credit"),
    "short": (StreamReset, "content-length is 1000"),
    "truncated": (TransportError, "ended within a frame, 990 bytes short"),
    "truncated-end": (TransportError, "ended within a frame, 990 bytes short"),
    "die": (PluginDied, "signal SIGKILL.*\nabout to be killed"),
    "die-in-a-frame": (PluginDied, "signal SIGKILL.*\nabout to be killed"),
    "ok-too-early": (StreamReset, "ended the stream before its response"),
    "half": (DeadlineExceeded, "time allowed"),
    "mute": (DeadlineExceeded, "time allowed"),
    "deaf": (DeadlineExceeded, "time allowed"),
    "chatter": (DeadlineExceeded, "time allowed"),
}


def test_every_kind_is_tried() -> None:
    assert {*AT_START, *AT_REQUEST} == set(KINDS)


@pytest.mark.parametrize("kind", AT_START)
def test_a_bad_start_is_named(kind: str) -> None:
    expected, message = AT_START[kind]
    with pytest.raises(expected, match=message):
        Plugin(command=command(kind), timeout=0.5 if kind == "hang" else 30)


@pytest.mark.parametrize("kind", AT_REQUEST)
def test_a_bad_answer_is_named(kind: str) -> None:
    expected, message = AT_REQUEST[kind]
    plugin = Plugin(command=command(kind))
    start = time.monotonic()
    with pytest.raises(expected, match=f"(?s){message}"):
        timeout = 0.5 if kind in ("half", "mute", "deaf", "chatter") else 30
        with plugin.request("GET", "/v2/", timeout=timeout) as response:
            response.read()
    assert time.monotonic() - start < 15
    plugin.close(0.2)


def test_what_comes_after_the_end_is_the_same_error() -> None:
    plugin = Plugin(command=command("die"))
    with pytest.raises(PluginDied), plugin.request("GET", "/v2/") as response:
        response.read()
    with pytest.raises(PluginDied) as caught:
        plugin.request("GET", "/v2/")
    assert (caught.value.status, caught.value.code, caught.value.retryable) == (-9, "UNAVAILABLE", True)
    assert "about to be killed" in caught.value.stderr
    plugin.close()


def test_a_body_for_a_deaf_plugin_ends_at_the_deadline() -> None:
    plugin = Plugin(command=command("deaf"))
    with pytest.raises(DeadlineExceeded):
        plugin.request("PUT", "/v2/", body=bytes(64 << 20), timeout=0.5)
    plugin.close(0.2)
    assert plugin.status in (0, -signal.SIGTERM, -signal.SIGKILL)


def test_a_full_pipe_holds_nobody_beyond_the_deadline() -> None:
    """One thread is stuck in the middle of a frame; neither a turn nor giving up waits for it."""
    plugin = Plugin(command=command("deaf"))

    def put(_: int) -> float:
        start = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            plugin.request("PUT", "/v2/", body=io.BytesIO(bytes(300_000)), timeout=0.5)
        return time.monotonic() - start

    with ThreadPoolExecutor(10) as pool:
        assert max(pool.map(put, range(10))) < 10
    assert put(10) < 10
    plugin.close(0.2)


def test_a_start_that_fails_on_this_side_leaves_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptors(*_: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr("udist_plugin.client.link.ClientLink", no_descriptors)
    with pytest.raises(OSError, match="too many open files"):
        Plugin(command=command("mute"))


@pytest.mark.parametrize("_", range(5))
def test_a_start_that_is_interrupted_leaves_no_thread(monkeypatch: pytest.MonkeyPatch, _: int) -> None:
    """The thread that reads standard error has just begun, or is about to."""
    begin = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        begin(thread)
        raise KeyboardInterrupt

    before = threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Plugin(command=command("mute"))
    assert threading.active_count() == before


def test_a_start_that_is_interrupted_leaves_standard_error_to_its_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread may run as soon as the system has it, which its starter need not know."""
    begun: list[threading.Thread] = []

    def interrupted(thread: threading.Thread) -> None:
        begun.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Plugin(command=command("mute"))
    begun[-1].run()


def test_a_command_that_is_not_there_says_what_to_install() -> None:
    with pytest.raises(PluginNotFound, match=r"no-such-plugin.*pip install /path/to/udist"):
        Plugin(command=["no-such-plugin"])
    with pytest.raises(PluginNotFound, match="cannot start '/etc/passwd'"):
        Plugin(command=["/etc/passwd"])


def test_a_wrong_configuration_is_named_and_ends_with_78() -> None:
    with pytest.raises(HandshakeFailed, match=r"log\.level.*REGISTRY_LOG_LEVEL") as caught:
        Plugin("version: 0.1\n", {"REGISTRY_LOG_LEVEL": "loud"})
    assert caught.value.code == "INVALID_ARGUMENT"


def test_a_complete_response_stays_whatever_resets_the_rest_of_its_request() -> None:
    ready = encode(Frame(0, Settings([1])))
    answer = encode(Frame(1, Response(413))) + encode_data_head(1, 5, True) + b"world"
    reset = encode(Frame(1, Reset("INTERNAL", "late")))
    with Plugin(command=scripted(ready, answer + reset)) as plugin:
        body = iter([bytes(1 << 20)] * 4)
        with plugin.request("PUT", "/v2/", body=body) as response:
            assert (response.status, response.read()) == (413, b"world")
