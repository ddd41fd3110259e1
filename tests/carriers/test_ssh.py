"""A plugin at the far end of a real ssh, and how that fails."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.carriers.blobs import INMEMORY, is_alive, parents, pid_of, pull, push
from tests.carriers.sshd import BANNER, PLUGIN, Sshd, remote, serving
from tests.link.waiting import until
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import HandshakeFailed, PluginDied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

MIB = 1 << 20
SOON = 5.0
"""Seconds in which what fails at once has failed, also on a busy machine."""
DROPPED = "closed by remote host|Connection reset|Broken pipe"
"""What ssh says, by whether it was reading or writing."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with serving(tmp_path_factory.mktemp("sshd")) as sshd:
        yield sshd


def test_a_push_and_a_pull(sshd: Sshd) -> None:
    lines: list[str] = []
    content = os.urandom(5 * MIB)
    with Plugin(INMEMORY, {}, [*sshd.login(), remote(*PLUGIN)], log=lines.append) as plugin:
        assert pull(plugin, push(plugin, content)) == content
        pid = pid_of(plugin)
        assert sshd.pid in parents(pid)
    assert plugin.status == 0
    until(lambda: not is_alive(pid))
    assert BANNER in lines  # on standard error, where it does no harm


def test_the_command_over_ssh(sshd: Sshd, tmp_path: Path) -> None:
    """With a configuration of this machine, sent to a plugin there."""
    config = tmp_path / "udist.yml"
    config.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path / 'store'}}}}}\n")
    carrier = shlex.join([*sshd.login(), remote(*PLUGIN)])

    def udist(*words: str) -> subprocess.CompletedProcess[str]:
        options = ["--config", str(config), "--plugin", carrier]
        command = [sys.executable, "-m", "udist_plugin.cli.main", *options, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)

    assert udist("push", "demo/a:v1", config.name).returncode == 0
    assert udist("ls").stdout == "demo/a\n"
    config.write_text("version: 0.1\nstorage: {filesystem: {rootdir: /}}\n")
    wrong = udist("ls")
    assert wrong.returncode == 4
    assert f"{config}:2" in wrong.stderr


def test_a_connection_that_ssh_keeps_holds_nothing_up(sshd: Sshd, tmp_path: Path) -> None:
    """A process in the background has inherited the plugin's standard error."""
    *options, host = sshd.login()
    for setting in ("ControlMaster=auto", "ControlPersist=yes", f"ControlPath={tmp_path / 'c'}"):
        options += ["-o", setting]
    try:
        for _ in range(2):
            plugin = Plugin(INMEMORY, {}, [*options, host, remote(*PLUGIN)])
            assert pull(plugin, push(plugin, b"content")) == b"content"
            began = time.monotonic()
            plugin.close()
            assert time.monotonic() - began < SOON
            assert plugin.status == 0
    finally:
        subprocess.run([*options, "-O", "exit", host], capture_output=True, timeout=30, check=True)


def test_text_of_a_login_script_is_named(sshd: Sshd) -> None:
    """As of a .bashrc that greets everybody."""
    login = sshd.login('restrict,command="echo Welcome to the store; exec $SSH_ORIGINAL_COMMAND"')
    with pytest.raises(HandshakeFailed, match="standard output contained text: Welcome to the store"):
        Plugin(INMEMORY, {}, [*login, remote(*PLUGIN)])


def test_a_login_that_is_refused_is_named(sshd: Sshd) -> None:
    login = sshd.login('from="192.0.2.1"')
    with pytest.raises(PluginDied, match=r"(?s)exit status 255.*Permission denied \(publickey\)"):
        Plugin(INMEMORY, {}, [*login, remote(*PLUGIN)])


def test_a_forced_command_is_locked_to_its_configuration(sshd: Sshd, tmp_path: Path) -> None:
    file = tmp_path / "udist.yml"
    file.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path / 'store'}}}}}\n")
    forced = remote(*PLUGIN, "--locked", "--config", str(file))
    login = sshd.login(f'restrict,command="{forced}"')
    with Plugin(command=[*login, "echo this is not what runs"]) as plugin:
        assert pull(plugin, push(plugin, b"content")) == b"content"
    assert (tmp_path / "store/docker").is_dir()
    for config, environ in ((INMEMORY, None), (None, {"REGISTRY_STORAGE": "inmemory"})):
        with pytest.raises(HandshakeFailed, match="this plugin is locked"):
            Plugin(config, environ, login)


def test_a_dropped_connection_fails_all_open_requests_at_once(sshd: Sshd) -> None:
    plugin = Plugin(INMEMORY, {}, [*sshd.login(), remote(*PLUGIN)])
    target, pid = push(plugin, bytes(32 * MIB)), pid_of(plugin)
    response = plugin.request("GET", target)
    assert response.read(1) == b"\0"
    os.kill(pid, signal.SIGSTOP)  # so that none of them ends by itself
    with ThreadPoolExecutor(3) as pool:
        try:
            failing: list[Future[object]] = [
                pool.submit(response.read),
                pool.submit(plugin.request, "GET", "/v2/"),
                pool.submit(plugin.request, "PUT", "/v2/demo/blobs/uploads/x", body=bytes(64 * MIB)),
            ]
            until(lambda: len(plugin.link.connection.streams) == 3)
            sshd.drop()
            dropped = time.monotonic()
            errors = [each.exception(60) for each in failing]
            assert time.monotonic() - dropped < SOON
        finally:
            os.kill(pid, signal.SIGCONT)
            plugin.close()
    for error in errors:
        assert isinstance(error, PluginDied)
        assert (error.code, error.status) == ("UNAVAILABLE", 255)
        assert re.search(DROPPED, error.stderr)
    until(lambda: not is_alive(pid))  # nobody is left to answer


CALLER = f"""
import os, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))  # it is the controlling terminal from now on
from udist_plugin import Plugin
with Plugin({INMEMORY!r}, {{}}, sys.argv[1:]) as plugin, plugin.request("GET", "/v2/") as response:
    print("answered with", response.status)
"""


class Terminal:
    """A caller on a terminal of its own, and who sits before it."""

    def __init__(self, command: list[str]) -> None:
        self._screen, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", CALLER, *command],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        self._shown = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, text: str) -> None:
        until(lambda: text in self._shown.decode() or self.process.poll() is not None)
        assert text in self._shown.decode()

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def end(self) -> str:
        """What was shown, when the caller has ended."""
        self.process.wait(30)
        self._reader.join(30)
        return self._shown.decode()

    def close(self) -> None:
        """Kills whoever is left."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        os.close(self._screen)

    def _read(self) -> None:
        try:
            while data := os.read(self._screen, 4096):
                self._shown += data
        except OSError:  # EIO: nobody has the terminal open any more
            pass


@pytest.fixture
def terminal(sshd: Sshd) -> Iterator[Terminal]:
    """One that shows a prompt."""
    terminal = Terminal([*sshd.login(passphrase="open sesame", batch=False), remote(*PLUGIN)])
    try:
        terminal.wait_for("Enter passphrase for key")
        yield terminal
    finally:
        terminal.close()


def test_a_password_is_asked_for_on_the_terminal(terminal: Terminal) -> None:
    """ssh may only read there because it is in its caller's process group."""
    terminal.type("open sesame\n")
    assert "answered with 200" in terminal.end()
    assert terminal.process.returncode == 0


def test_ctrl_c_at_the_prompt_ends_the_caller(terminal: Terminal) -> None:
    terminal.type("\x03")
    assert "KeyboardInterrupt" in terminal.end()
