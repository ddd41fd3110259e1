"""Whoever is killed, nobody is left: no process, no port, no socket, no file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.gateway.udist import UDIST, eventually, is_alive, listens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.udist import Home

WITHIN_A_SECOND = 1.0
WITHIN_FIVE = 5.0


class Running(NamedTuple):
    """A command at work: the process ids of all, where it listens, and its socket."""

    process: subprocess.Popen[str]
    command: int
    gateway: int
    address: str
    folder: Path

    def is_over(self) -> bool:
        """Whether nothing is left, files aside."""
        alive = [pid for pid in (self.process.pid, self.command, self.gateway) if is_alive(pid)]
        return not alive and not listens(self.address)


@pytest.fixture
def running(home: Home) -> Iterator[Running]:
    script = "echo $UDIST_REGISTRY; echo $DOCKER_CONFIG; echo $$; read line < $HOME/fifo"
    os.mkfifo(home.path / "fifo")
    with home.start("sh", "-c", script) as process:
        assert process.stdout is not None
        address, docker, command = (process.stdout.readline().strip() for _ in range(3))
        folder = Path(docker).parent
        found = Running(process, int(command), int((folder / "lock").read_text()), address, folder)
        assert listens(address)
        yield found
        for pid in (process.pid, found.command, found.gateway):
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_udist(number: signal.Signals, running: Running) -> None:
    running.process.send_signal(number)
    assert running.process.wait(20) == -number
    assert eventually(running.is_over, WITHIN_A_SECOND)
    assert not running.folder.exists()


def test_udist_is_killed(running: Running) -> None:
    running.process.kill()
    assert eventually(running.is_over, WITHIN_FIVE)
    assert eventually(lambda: not running.folder.exists(), WITHIN_FIVE)


def test_the_command_is_killed(running: Running) -> None:
    os.kill(running.command, signal.SIGKILL)
    assert running.process.wait(20) == -signal.SIGKILL
    assert eventually(running.is_over, WITHIN_A_SECOND)
    assert not running.folder.exists()


def test_the_gateway_is_killed(running: Running, home: Home) -> None:
    os.kill(running.gateway, signal.SIGKILL)
    assert running.process.wait(20) == 1
    assert eventually(running.is_over, WITHIN_A_SECOND)
    assert running.folder.exists(), "the next start removes it"
    home.succeed("true")
    assert home.folders() == []


def test_the_gateway_is_asked_to_end(running: Running) -> None:
    os.kill(running.gateway, signal.SIGTERM)
    assert running.process.wait(20) == 1
    assert eventually(running.is_over, WITHIN_A_SECOND)
    assert not running.folder.exists()


def test_a_command_that_does_not_want_to_end_is_killed_when_udist_was(home: Home) -> None:
    script = "trap '' TERM; echo $$; while :; do sleep 0.05; done"
    with home.start("sh", "-c", script) as process:
        assert process.stdout is not None
        command = int(process.stdout.readline())
        process.kill()
        assert eventually(lambda: not is_alive(command), WITHIN_FIVE)
        assert eventually(lambda: home.folders() == [], WITHIN_FIVE)


def test_a_socket_of_a_killed_gateway_is_removed_by_the_next(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "registry.sock"
    script = "cat $DOCKER_CONFIG/../lock; echo; read line < $HOME/fifo"
    os.mkfifo(home.path / "fifo")
    with home.start("sh", "-c", script, options=("--socket", str(path))) as process:
        assert process.stdout is not None
        os.kill(int(process.stdout.readline()), signal.SIGKILL)
        assert process.wait(20) == 1
    assert path.exists()
    home.succeed("true")
    assert not path.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_while_the_store_is_opened(number: signal.Signals, home: Home, tmp_path: Path) -> None:
    """The configuration is a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "config.yml")
    config = ("--config", str(tmp_path / "config.yml"))
    with home.start("echo", "never", options=config) as process:
        assert eventually(lambda: len(children(process.pid)) == 1)
        (gateway,) = children(process.pid)
        process.send_signal(number)
        began = time.monotonic()
        assert process.wait(20) == -number
        assert eventually(lambda: not is_alive(gateway), WITHIN_FIVE)
        assert time.monotonic() - began < WITHIN_FIVE
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert home.folders() == []


def test_what_the_command_starts_while_it_is_ended_is_ended_too(home: Home) -> None:
    script = "trap 'sleep 100 & echo $!; exit' TERM; echo ready; while :; do sleep 0.05; done"
    with home.start("sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
        late = int(process.stdout.readline())
        assert eventually(lambda: not is_alive(late), WITHIN_FIVE)
        assert eventually(lambda: home.folders() == [], WITHIN_FIVE)


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def test_ignored_signals_stay_ignored(home: Home) -> None:
    """As nohup has it."""
    inner = f"{' '.join(UDIST)} exec -- sh -c 'kill -HUP $$ $PPID; echo alive'"
    assert home.succeed("sh", "-c", f"trap '' HUP; {inner}") == "alive\n"


def test_ignored_children_are_waited_for_all_the_same(home: Home) -> None:
    """As the children of some daemons have it."""
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
        "os.execv(sys.executable, sys.argv[1:])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", ignoring, *UDIST, "exec", "--", "sh", "-c", "exit 3"],
        env=home.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (3, "")


def test_a_gateway_that_is_told_to_end_early_says_nothing() -> None:
    script = (
        "from udist_plugin.gateway.process import fork\n"
        "def serve(owner): raise KeyboardInterrupt\n"
        "gateway = fork(serve)\n"
        "assert gateway.variables() is None\n"
        "assert gateway.close() == 1\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
