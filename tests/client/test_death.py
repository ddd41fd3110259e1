"""A plugin that has died is noticed at once, whoever else holds its pipes open, and closing has its bound."""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.client.test_misbehaving import command
from tests.server.conftest import COMMAND
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import DeadlineExceeded, PluginDied, TransportError
from udist_plugin.link import fds
from udist_plugin.link.output import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Spawn = Callable[[list[str]], Plugin]

SOON = 10.0
"""Seconds, far below those for which the grandchild lives, and enough for a busy machine."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


@pytest.fixture(params=["a descriptor of the process", "no such call", "a call that is forbidden"])
def notice(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the end of a process is noticed: Linux has a descriptor for it, older ones and sandboxes do not."""

    def forbidden(pid: int, flags: int = 0) -> int:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if request.param == "no such call":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    elif request.param == "a call that is forbidden":
        monkeypatch.setattr(os, "pidfd_open", forbidden, raising=False)


@pytest.fixture
def spawn(notice: None, tmp_path: Path) -> Iterator[Spawn]:
    """Spawns a plugin that has first started a process which keeps all its pipes."""
    pid = tmp_path / "pid"

    def spawned(command: list[str]) -> Plugin:
        words = " ".join(f"'{word}'" for word in command)
        return Plugin(command=["sh", "-c", f"exec 3<&0; sleep 300 0<&3 & echo $! >{pid}; exec {words} 3<&-"])

    yield spawned
    with suppress(ProcessLookupError):
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_request_after_the_death_fails_at_once(spawn: Spawn) -> None:
    plugin = spawn(COMMAND)
    os.kill(plugin.pid, signal.SIGKILL)
    with within(SOON), pytest.raises(PluginDied, match="signal SIGKILL"):
        plugin.request("GET", "/environ")
    with within(1):
        plugin.close()
    assert plugin.status == -signal.SIGKILL


def test_one_that_has_died_is_closed_once_it_was_closed(spawn: Spawn) -> None:
    plugin = spawn(COMMAND)
    os.kill(plugin.pid, signal.SIGKILL)
    with pytest.raises(PluginDied, match="signal SIGKILL"):
        plugin.request("GET", "/v2/")
    plugin.close()
    with pytest.raises(PluginDied, match="was closed"):
        plugin.request("GET", "/v2/")


def test_a_death_while_nobody_looks_costs_closing_nothing(spawn: Spawn) -> None:
    plugin = spawn(COMMAND)
    os.kill(plugin.pid, signal.SIGKILL)
    with within(1.5):
        plugin.close()
    assert plugin.status == -signal.SIGKILL


def test_the_last_words_are_there(spawn: Spawn) -> None:
    plugin = spawn(COMMAND)
    with within(SOON), pytest.raises(PluginDied, match=r"exit status 3.*\nthe last word"):
        plugin.request("GET", "/crash")
    plugin.close()


@pytest.mark.parametrize(("kind", "words"), [("truncated", "990 bytes short"), ("die", "SIGKILL")])
def test_a_response_that_is_cut_fails_at_once(spawn: Spawn, kind: str, words: str) -> None:
    plugin = spawn(command(kind))
    with within(SOON), pytest.raises(TransportError, match=words), plugin.request("GET", "/v2/") as response:
        response.read()
    with within(1):
        plugin.close()


def test_content_for_which_there_is_no_room_any_more_fails_at_once(spawn: Spawn) -> None:
    plugin = spawn(command("deaf"))
    filler = [("x-filler", "x" * 50_000)]  # heads fill the pipe: they need no credit
    for _ in range(30):
        with pytest.raises(DeadlineExceeded):
            plugin.request("GET", "/v2/", filler, timeout=0.01)
    with ThreadPoolExecutor(1) as pool, within(SOON):
        stuck = pool.submit(plugin.request, "GET", "/v2/", filler)
        os.kill(plugin.pid, signal.SIGKILL)
        with pytest.raises(PluginDied):
            stuck.result(60)
    with within(1.5):
        plugin.close()


def test_closing_ends_what_does_not_end_in_the_time_that_was_given(notice: None) -> None:
    stubborn = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "from udist_plugin.testing.misbehaving import main\n"
        "import udist_plugin.testing.misbehaving as misbehaving\n"
        "misbehaving._sleep = lambda: time.sleep(300)\n"
        "main('deaf')\n"
    )
    plugin = Plugin(command=[sys.executable, "-c", stubborn])
    begun = time.monotonic()
    plugin.close(1.0)
    assert 0.9 < time.monotonic() - begun < 2.5
    assert plugin.status == -signal.SIGKILL


def test_closing_is_polite_first(notice: None) -> None:
    plugin = Plugin(command=COMMAND)
    with within(SOON):
        plugin.close(60)
    assert plugin.status == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are written to without a wait there")
def test_a_descriptor_stays_open_while_a_thread_is_about_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what it writes would go to whatever has got the descriptor's number meanwhile."""
    reached, go_on = threading.Event(), threading.Event()
    write = fds.write_from

    def held(fd: int, buffers: Sequence[fds.Buffer]) -> int:
        if sum(map(len, buffers)) > SMALL:
            reached.set()
            go_on.wait(30)
        return write(fd, buffers)

    with Plugin(command=COMMAND) as plugin:
        sink = plugin.link.output.fd
        monkeypatch.setattr(fds, "write_from", held)
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(plugin.request, "POST", "/echo", body=bytes(1 << 20))
            try:
                assert reached.wait(30)
                plugin.close(1)
                is_ours = stat.S_ISSOCK if sys.platform == "linux" else stat.S_ISFIFO
                assert is_ours(os.fstat(sink).st_mode)
            finally:
                go_on.set()
            with pytest.raises(TransportError):
                sending.result(30)
        assert plugin.link.output.settled(30)  # a thread of its own may still send
    plugin._process.close()
