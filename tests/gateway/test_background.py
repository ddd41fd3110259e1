"""A gateway in the background, for as long as whoever started it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gateway.udist import UDIST, eventually, is_alive, listens

if TYPE_CHECKING:
    from tests.gateway.udist import Home

EVAL = f'eval "$({" ".join(UDIST)} exec --background)"'
STOP = f"{' '.join(UDIST)} exec --stop"


def in_a_shell(home: Home, shell: str, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shell, "-c", script], env=home.environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
def test_it_ends_with_the_shell_that_started_it(shell: str, home: Home) -> None:
    script = f"{EVAL}; echo $UDIST_REGISTRY; cat $DOCKER_CONFIG/../lock; echo; curl -s $UDIST_URL/v2/"
    ran = in_a_shell(home, shell, script)
    assert ran.stderr == ""
    address, gateway, answer = ran.stdout.split()
    assert answer == "{}"
    assert eventually(lambda: not is_alive(int(gateway)), 5)
    assert not listens(address)
    assert home.folders() == []


def test_it_ends_when_it_is_stopped(home: Home) -> None:
    script = (
        f"{EVAL}; {STOP} $UDIST_EXEC_ID; echo $?; curl -s $UDIST_URL/v2/; echo $?; ls $XDG_RUNTIME_DIR/udist"
    )
    assert in_a_shell(home, "bash", script).stdout == "0\n7\n"


def test_one_that_was_killed_is_removed_when_it_is_stopped(home: Home) -> None:
    script = f"{EVAL}; kill -KILL $(cat $DOCKER_CONFIG/../lock); sleep 0.2; {STOP} $UDIST_EXEC_ID; echo $?"
    ran = in_a_shell(home, "bash", script)
    assert ran.stdout == "1\n"
    assert "it may have ended already" in ran.stderr
    assert home.folders() == []


def test_it_ends_with_the_process_that_it_is_told(home: Home) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as owner:
        ran = in_a_shell(home, "bash", f"{' '.join(UDIST)} exec --background --json --owner {owner.pid}")
        address = json.loads(ran.stdout)["environment"]["UDIST_REGISTRY"]
        assert listens(address)  # though the shell has ended
        owner.kill()
    assert eventually(lambda: not listens(address), 5)
    assert eventually(lambda: home.folders() == [], 5)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--background --owner 0", "expected the id of a process, not '0'"),
        ("--background --owner 9999999999", "no process has the id 9999999999"),
        ("--owner 1 -- true", "--owner goes with --background"),
    ],
)
def test_an_owner_that_cannot_be(words: str, expected: str, home: Home) -> None:
    ran = in_a_shell(home, "sh", f"{' '.join(UDIST)} exec {words}")
    assert ran.returncode == 2
    assert expected in ran.stderr


@pytest.mark.parametrize("name", ["", "nothing", "..", "../../etc", "/"])
def test_an_id_that_nobody_has(name: str, home: Home) -> None:
    (home.path / "kept").touch()
    command = [*UDIST, "exec", f"--stop={name}"]
    ran = subprocess.run(command, env=home.environ, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "no gateway has the id" in ran.stderr
    assert home.runtime.exists()
    assert (home.path / "kept").exists()


def test_as_json(home: Home) -> None:
    ran = in_a_shell(home, "sh", f"{' '.join(UDIST)} exec --background --json")
    found = json.loads(ran.stdout)
    assert found["environment"]["UDIST_EXEC_ID"] == found["id"]
    assert Path(found["environment"]["DOCKER_CONFIG"]).parents[1] == home.runtime / "udist"


def test_it_logs_into_a_file_and_keeps_no_pipe_open(home: Home) -> None:
    script = (
        f'eval "$({" ".join(UDIST)} exec --background -v 2>&1)"; '
        "curl -s http://$UDIST_REGISTRY/v2/ >/dev/null"
    )
    wait = 'until grep -h "401 for GET" $DOCKER_CONFIG/../log; do sleep 0.05; done'
    assert "401 for GET '/v2/' from 127.0.0.1" in in_a_shell(home, "bash", f"{script}; {wait}").stdout


def test_an_error_is_said_as_with_a_command(home: Home) -> None:
    ran = in_a_shell(home, "sh", f"{' '.join(UDIST)} exec --background --config /no/such/file")
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "/no/such/file" in ran.stderr
