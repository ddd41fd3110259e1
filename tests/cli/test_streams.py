"""Standard streams that are closed, full or have lost their reader, and signals at any instant."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_failures import COMMAND
from tests.house.generate import REPOSITORY
from tests.images.stalling import COMMAND as STALLING
from tests.images.stalling import LARGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.cli.conftest import Ran

    Udist = Callable[..., Ran]

COMMANDS = [
    ("push", "demo/a:v1", "README.md"),
    ("pull", "demo/a:v1", "-o", "out"),
    ("ls",),
    ("inspect", "demo/a:v1", "--raw"),
    ("doctor",),
    ("config", "check"),
    ("--help",),
]


@pytest.fixture(autouse=True)
def hangups_are_not_ignored() -> Iterator[None]:
    """Also if the tests themselves were started by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def in_shell(words: Sequence[str], redirection: str) -> subprocess.CompletedProcess[str]:
    """The command with what a shell does to its streams."""
    return shell(f'"$@" {redirection}', *COMMAND, *words)


def shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", script, "bash", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_command_does_its_work_with_streams_that_are_closed(udist: Udist, redirection: str) -> None:
    udist("push", "demo/a:v1", "README.md")
    for words in COMMANDS:
        ran = in_shell(words, redirection)
        assert (ran.returncode, ran.stderr) == (0, ""), words
        assert bool(ran.stdout) == (">&-" not in redirection.replace("2>&-", "")), words


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_failure_keeps_its_exit_code(udist: Udist, redirection: str) -> None:
    udist("push", "demo/a:v1", "README.md")
    assert in_shell(("pull", "demo/a:v2"), redirection).returncode == 3
    assert in_shell(("pull", "Demo"), redirection).returncode == 2


def test_what_is_printed_never_ends_up_in_the_store(udist: Udist, work: Path) -> None:
    """Where nothing takes the place of a closed stream, the next file has its number."""
    for words in COMMANDS[:2]:
        assert in_shell((*words, "-v"), "<&- >&- 2>&-").returncode == 0
    assert (work / "out/README.md").read_text() == "# Read me\n"
    assert udist("pull", "demo/a:v1", "-o", "again").code == 0


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_a_plugin_without_a_caller_says_what_it_lacks(redirection: str) -> None:
    ran = shell(f'"$1" -m udist_plugin {redirection}', sys.executable)
    assert ran.returncode == 64
    assert ran.stderr.startswith("udist-plugin: standard ") or "2>&-" in redirection
    assert ran.stderr.count("\n") == ("2>&-" not in redirection)


@pytest.mark.usefixtures("work")
def test_a_plugin_whose_caller_closed_its_standard_error_serves(udist: Udist) -> None:
    plugin = f"bash -c 'exec {sys.executable} -m udist_plugin 2>&-'"
    assert udist("ls", "--plugin", plugin).code == 0


@pytest.mark.parametrize(
    "plugin",
    [
        "sh -c 'echo no route to host >&2; exit 255'",
        "sh -c 'echo no route to host; exit 0'",
        f"{sys.executable} -c 'raise SystemExit(\"no route to host\")'",
    ],
)
def test_a_plugin_that_cannot_be_reached_is_4(udist: Udist, plugin: str) -> None:
    """ssh to a host that is away, or without udist on it."""
    ran = udist("ls", "--plugin", plugin)
    assert (ran.code, ran.out) == (4, "")
    assert "no route to host" in ran.err


def test_descriptors_or_processes_running_out_are_4(work: Path) -> None:
    ran = shell('ulimit -n 8; exec "$@"', *COMMAND, "ls")
    assert ran.returncode == 4
    assert "Too many open files" in ran.stderr
    assert "Traceback" not in ran.stderr


STARTED = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
os.write(2, b"started\\n")
from udist_plugin.cli.main import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_instant_ends_the_process_by_itself(work: Path, number: signal.Signals) -> None:
    """From the first line on: while modules are imported, while the plugin starts, and at the end."""
    (work / "large").write_bytes(os.urandom(1 << 20))
    completed = 0
    for step in range(24):
        running = subprocess.Popen(
            [sys.executable, "-c", STARTED, "push", "demo/a:v1", "large", "folder"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        assert running.stderr.readline() == "started\n"
        time.sleep(step * 0.02)  # the instant is what differs
        running.send_signal(number)
        _, err = running.communicate(timeout=30)
        assert (running.returncode, err) in ((-number, ""), (0, ""))
        completed += running.returncode == 0
    assert completed < 24


FINALIZING = """
import os, signal, sys, threading
from udist_plugin.cli import main, running

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))

def run(words):
    Finalized()
    threading.Event().wait(30)

running.run = run
main.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_comes_while_something_is_finalized_is_not_lost(number: signal.Signals) -> None:
    """Python drops what a signal's handler raises there."""
    ran = subprocess.run(
        [sys.executable, "-c", FINALIZING, str(number.value)], capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (-number, "")


@pytest.mark.parametrize("words", [("push", "demo:v2", "large", "larger"), ("pull", "demo:endless")])
def test_an_interrupted_transfer_of_several_files_leaves_nothing(work: Path, words: tuple[str, ...]) -> None:
    """Both are under way, and the plugin will never finish either."""
    (work / "large").write_bytes(bytes(LARGE))
    (work / "larger").write_bytes(bytes(2 * LARGE))
    before = sorted(os.listdir(work))
    environ = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    running = subprocess.Popen(
        [*COMMAND, *words, "-v", "--plugin", shlex.join(STALLING)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    assert running.stderr is not None
    assert [running.stderr.readline() for _ in range(2)] == ["stalled\n"] * 2
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (-signal.SIGINT, "", "")
    assert sorted(os.listdir(work)) == before


ENDING = """
import os, signal
from udist_plugin.cli.main import main

def end(code, exit=os._exit):
    heard = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    print([signal.getsignal(each) == signal.SIG_IGN for each in heard], flush=True)
    exit(code)

os._exit = end
main()
"""


@pytest.mark.parametrize("ignored", ["", "INT", "HUP", "INT TERM HUP"])
def test_signals_that_are_ignored_stay_so_to_the_end(ignored: str) -> None:
    ran = shell(f"trap '' {ignored or '0'}; exec \"$@\"", sys.executable, "-c", ENDING, "version")
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1] == str([name in ignored.split() for name in ("INT", "TERM", "HUP")])


def test_a_program_that_ignores_hangups_goes_on_doing_so(work: Path) -> None:
    script = "trap '' HUP; \"$@\" & while kill -HUP $! 2>/dev/null; do :; done; wait $!"
    ran = shell(script, *COMMAND, "push", "demo/a:v1", "README.md")
    assert (ran.returncode, ran.stderr) == (0, "")
