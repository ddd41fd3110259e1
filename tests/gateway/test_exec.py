"""A command with a registry of its own: what it gets, and what becomes of it."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gateway.udist import UDIST, listens
from tests.listening import LISTENING

if TYPE_CHECKING:
    from tests.gateway.udist import Home

CURL = 'curl -s -o /dev/null -o /dev/null -o /dev/null -w "%{http_code} "'
"""Prints the statuses of up to three URLs."""


def test_the_command_finds_the_registry(home: Home) -> None:
    printed = home.succeed("sh", "-c", f"echo $UDIST_REGISTRY; {CURL} $UDIST_URL/v2/ $UDIST_URL/v2/_catalog")
    address, codes = printed.splitlines()
    assert codes == "200 200 "
    assert address.startswith("127.0.0.1:")
    assert not listens(address)


def test_without_the_credential_it_gets_401_and_the_log_says_so(home: Home) -> None:
    script = f"{CURL} http://$UDIST_REGISTRY/v2/; {CURL} -u udist:wrong http://$UDIST_REGISTRY/v2/_catalog"
    ran = home.exec("sh", "-c", script, options=("-v",))
    assert ran.stdout == "401 401 "
    assert "401 for GET '/v2/' from 127.0.0.1" in ran.stderr
    assert "401 for GET '/v2/_catalog' from 127.0.0.1" in ran.stderr
    assert home.exec("sh", "-c", script).stderr == ""


def test_two_gateways_do_not_see_each_other(home: Home) -> None:
    inner = (
        f"{' '.join(UDIST)} exec -- sh -c '{CURL} $OUTER $UDIST_URL/v2/ http://$LOGIN@$UDIST_REGISTRY/v2/'"
    )
    script = f"export OUTER=$UDIST_URL/v2/ LOGIN=${{UDIST_URL#http://}}; LOGIN=${{LOGIN%@*}}; {inner}"
    assert home.succeed("sh", "-c", script) == "200 200 401 "


@pytest.mark.parametrize(
    ("argument", "becomes"),
    [
        ("udist.localhost/demo:v1", "REGISTRY/demo:v1"),
        ("docker://udist.localhost/demo", "docker://REGISTRY/demo"),
        ("--from=udist.localhost/a,udist.localhost/b", "--from=REGISTRY/a,REGISTRY/b"),
        ("udist.localhost", "udist.localhost"),
        ("not-udist.localhost/demo", "not-udist.localhost/demo"),
        ("a.udist.localhost/demo", "a.udist.localhost/demo"),
        ("--", "--"),
        ("-v", "-v"),
    ],
)
def test_the_name_in_arguments_is_replaced(home: Home, argument: str, becomes: str) -> None:
    printed = home.succeed("sh", "-c", 'printf "%s\\n" "$UDIST_REGISTRY" "$1"', "sh", argument)
    registry, _, found = printed.partition("\n")
    assert found == becomes.replace("REGISTRY", registry) + "\n"


def test_files_are_private_and_gone_afterwards(home: Home) -> None:
    script = "cd $DOCKER_CONFIG/.. && pwd && find . -printf '%M %P\\n'"
    path, *entries = home.succeed("sh", "-c", script).splitlines()
    assert Path(path).parent == home.runtime / "udist"
    assert {entry.partition(" ")[0] for entry in entries} == {"drwx------", "-rw-------"}
    assert home.folders() == []


@pytest.mark.parametrize("runtime", ["", ".", "/nonexistent", "somebody else's"])
def test_without_a_runtime_folder_they_are_in_a_private_one(home: Home, tmp_path: Path, runtime: str) -> None:
    if runtime == "somebody else's":
        runtime = str(tmp_path / "theirs") if os.getuid() == 0 else "/"
        (tmp_path / "theirs").mkdir()
        os.chown(tmp_path / "theirs", 65534 if os.getuid() == 0 else -1, -1)
    home.environ.update(XDG_RUNTIME_DIR=runtime, TMPDIR=".")
    printed = home.succeed("sh", "-c", "cd /; dirname $DOCKER_CONFIG/x", cwd=tmp_path)
    place = tmp_path / f"udist-{os.getuid()}"
    assert Path(printed.strip()).parents[1] == place
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_a_folder_of_somebody_elses_is_not_used(home: Home) -> None:
    (home.runtime / "udist").mkdir(mode=0o755)
    ran = home.exec("true")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert (
        ran.stderr
        == f"udist: {home.runtime}/udist: expected a folder of mode 0700 that belongs to this user\n"
    )


@pytest.mark.parametrize("code", [0, 1, 3, 127, 255])
def test_the_exit_code_is_the_commands(home: Home, code: int) -> None:
    assert home.exec("sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_that_ends_the_command_ends_udist(home: Home, number: signal.Signals) -> None:
    assert home.exec("sh", "-c", f"kill -{int(number)} $$").returncode == -number


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]
)
def test_signals_are_passed_on(home: Home, number: signal.Signals) -> None:
    script = f"trap 'echo caught; exit 5' {int(number)}; echo ready; while :; do sleep 0.02; done"
    with home.start("sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == "caught\n"
    assert process.returncode == 5
    assert home.folders() == []


LATE = """
import os, sys
from udist_plugin.gateway import command

class Late(command.Process):
    def __init__(self, pid):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        super().__init__(pid)

command.Process = Late
sys.exit(command.run_command(["sh", "-c", "kill -INT $PPID; exit 7"], os.environ, None))
"""
"""``run_command`` on a machine so busy that the command has ended before it is looked at."""


def test_a_signal_that_the_command_has_outrun_does_not_end_udist() -> None:
    assert subprocess.run([sys.executable, "-c", LATE], check=False).returncode == 7


def test_ctrl_c_in_a_terminal_reaches_the_command_once(home: Home) -> None:
    caught = "trap 'echo caught' INT; trap 'echo passed on; exit 7' USR1"
    command = [*UDIST, "exec", "--", "sh", "-c", f"{caught}; echo ready; while :; do sleep 0.02; done"]
    pid, terminal = os.forkpty()
    if not pid:
        os.execvpe(command[0], command, home.environ)
    said = b""
    while b"ready" not in said:
        said += os.read(terminal, 1024)
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    os.write(terminal, b"\x03")
    while b"caught" not in said:
        said += os.read(terminal, 1024)
    os.kill(pid, signal.SIGUSR1)
    os.kill(pid, signal.SIGCONT)  # udist takes its SIGINT, and passes the other on
    while True:
        try:
            said += os.read(terminal, 1024)
        except OSError:  # the terminal's end
            break
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert said.count(b"passed on") == said.count(b"caught") == 1


def test_a_command_that_does_not_exist_is_127_with_its_name(home: Home) -> None:
    ran = home.exec("no-such-tool", "--version")
    assert (ran.returncode, ran.stdout) == (127, "")
    assert ran.stderr == "udist: no-such-tool: command not found\n"
    assert home.folders() == []


def test_a_file_that_is_no_program_is_126(home: Home, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    ran = home.exec(str(tmp_path / "text"))
    assert (ran.returncode, ran.stderr) == (126, f"udist: {tmp_path}/text: Permission denied\n")


def test_a_store_that_cannot_be_opened_is_said_before_the_command_starts(home: Home, tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.write_text("in the way")
    home.environ["REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY"] = str(root / "store")
    ran = home.exec("touch", str(tmp_path / "ran"))
    assert ran.returncode == 4
    assert str(root / "store") in ran.stderr
    assert not (tmp_path / "ran").exists()
    assert home.folders() == []


def test_a_wrong_configuration_is_said_before_the_command_starts(home: Home, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("version: 0.1\nstorage: {filesystem: {rootdirectroy: x}}\n")
    ran = home.exec("touch", str(tmp_path / "ran"), options=("--config", str(config)))
    assert ran.returncode == 4
    assert f"storage.filesystem.rootdirectroy ({config}:2)" in ran.stderr
    assert not (tmp_path / "ran").exists()


def test_what_the_configuration_says_of_a_listener_has_no_effect(home: Home, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(
        "version: 0.1\nstorage: {inmemory: {}}\n"
        "http: {host: 'https://registry.example.com', prefix: /registry/}\n"
        "auth: {htpasswd: {realm: example, path: /no/such/file}}\n"
    )
    script = 'curl -sD - -X POST -o /dev/null "$UDIST_URL/v2/demo/blobs/uploads/"'
    head = home.succeed("sh", "-c", script, options=("--config", str(config)))
    assert "202 Accepted" in head
    assert "\nLocation: /v2/demo/blobs/uploads/" in head


def test_read_only(home: Home) -> None:
    script = f"{CURL} -X POST $UDIST_URL/v2/demo/blobs/uploads/; {CURL} $UDIST_URL/v2/_catalog"
    assert home.succeed("sh", "-c", script, options=("--read-only",)) == "405 200 "


@pytest.mark.parametrize(
    "words", [[], ["--background", "--", "true"], ["--stop", "x", "--background"], ["true"]], ids=" ".join
)
def test_one_of_command_background_and_stop(home: Home, words: list[str]) -> None:
    ran = subprocess.run(
        [*UDIST, "exec", *words], env=home.environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("usage: udist exec [OPTION...] -- COMMAND [ARGUMENT...]\n")


def test_tls_without_its_extra(home: Home, tmp_path: Path) -> None:
    (tmp_path / "cryptography").mkdir()
    (tmp_path / "cryptography/__init__.py").write_text("raise ImportError")
    home.environ["PYTHONPATH"] = str(tmp_path)
    ran = home.exec("echo", "never", options=("--tls",))
    assert (ran.returncode, ran.stdout) == (1, "")
    hint = "cryptography is not installed; pip install '.[tls]' in a checkout of udist"
    assert ran.stderr == f"udist: {hint}\n"


def test_a_unix_socket(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "registry.sock"
    look = "ls -l /proc/$(cat $DOCKER_CONFIG/../lock)/fd; cat /proc/net/tcp"
    script = f"stat -c %a $UDIST_SOCKET; curl -s --unix-socket $UDIST_SOCKET $UDIST_URL/v2/; {look}"
    printed = home.succeed("sh", "-c", script, options=("--socket", str(path)))
    assert printed.startswith("600\n{}")
    assert not _listens(printed)
    assert _listens(home.succeed("sh", "-c", look)), "one with a port does"
    assert not path.exists()


def _listens(printed: str) -> bool:
    """Whether one of the process's descriptors is a socket that /proc/net/tcp shows as listening."""
    own = set(re.findall(r"socket:\[(\d+)\]", printed))
    return any(
        fields[3] == LISTENING and fields[9] in own
        for fields in map(str.split, printed.splitlines())
        if len(fields) > 9 and fields[0].endswith(":")
    )


def test_a_socket_that_is_listened_at_is_not_taken(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "registry.sock"
    inner = f"{' '.join(UDIST)} exec --socket {path} -- echo never"
    script = f"{inner}; echo $?; curl -s --unix-socket $UDIST_SOCKET $UDIST_URL/v2/"
    ran = home.exec("sh", "-c", script, options=("--socket", str(path)))
    assert ran.stdout == "1\n{}"
    assert ran.stderr == f"udist: {path}: Address already in use\n"


def test_a_file_in_the_place_of_a_socket_stays(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("kept")
    ran = home.exec("echo", "never", options=("--socket", str(path)))
    assert (ran.returncode, ran.stdout, path.read_text()) == (1, "", "kept")
