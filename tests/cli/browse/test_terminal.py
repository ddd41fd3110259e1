"""The command in a real terminal: tmux's."""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_failures import COMMAND
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

PATIENCE = 60.0
"""Seconds until the screen shows what is waited for."""


class Terminal:
    """A tmux server of its own with one window of 80 by 24."""

    def __init__(self, socket: Path, command: str) -> None:
        self._tmux = [require_tool("tmux"), "-S", str(socket), "-f", "/dev/null"]
        self("new-session", "-d", "-x", "80", "-y", "24", command)

    def __call__(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def wait_for(self, *wanted: str) -> str:
        end = time.monotonic() + PATIENCE
        while True:
            seen = self("capture-pane", "-p")
            if all(text in seen for text in wanted):
                return seen
            assert time.monotonic() < end, f"no {wanted} on:\n{seen}"
            time.sleep(0.1)  # tmux tells nobody what a program shows


@pytest.fixture
def terminal(udist: Udist, work: Path, tmp_path: Path) -> Iterator[Terminal]:
    """The browser on a store with an image, under a shell that says how it ended."""
    assert udist("push", "demo/app:v1", "README.md", "folder").code == 0
    browse = shlex.join([*COMMAND, "browse"])
    end = "echo ended $?; stty -a | grep -ow -- '-*icanon'; ps -o args= --ppid $$; echo over; read line"
    opened = Terminal(tmp_path / "tmux", f"sh -c {shlex.quote(f'{browse}; {end}')}")
    try:
        opened.wait_for("demo/app", "Quit")
        yield opened
    finally:
        opened("kill-server")


def test_it_opens_moves_and_quits(terminal: Terminal) -> None:
    terminal("send-keys", "Down", "Right")
    terminal.wait_for("▶ v1")
    terminal("send-keys", "Right", "Right")
    terminal.wait_for("layer README.md", '"schemaVersion": 2')
    terminal("send-keys", "q")
    check_end(terminal, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_gives_the_terminal_back(terminal: Terminal, number: signal.Signals) -> None:
    shell = terminal("list-panes", "-F", "#{pane_pid}").strip()
    browser = children_of(int(shell))[0]
    plugins = children_of(browser)
    assert plugins
    os.kill(browser, number)
    check_end(terminal, 128 + number)
    for plugin in plugins:
        with pytest.raises(ProcessLookupError):
            os.kill(plugin, 0)


def test_an_interrupt_quits(terminal: Terminal) -> None:
    terminal("send-keys", "C-c")
    check_end(terminal, 0)


def check_end(terminal: Terminal, code: int) -> None:
    """The screen is the shell's again, and the terminal reads lines."""
    lines = terminal.wait_for(f"ended {code}", "over").split()
    assert "icanon" in lines
    assert not [line for line in lines if "udist" in line]


def children_of(process: int) -> list[int]:
    with open(f"/proc/{process}/task/{process}/children") as file:
        return [int(word) for word in file.read().split()]


def test_without_a_terminal_it_names_other_commands(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    ran = udist("browse")
    assert ran.code == 2
    assert 'needs a terminal; "udist ls"' in ran.err


def test_without_the_extra_it_says_what_to_install(udist: Udist, monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setitem(sys.modules, "textual.app", None)
    monkeypatch.delitem(sys.modules, "udist_plugin.cli.browse.app", raising=False)
    ran = udist("browse")
    assert ran.code == 1
    assert ran.err == "udist: textual is not installed; pip install '.[browse]' in a checkout of udist\n"
