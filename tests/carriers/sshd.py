"""A real sshd on loopback, with keys and a configuration of its own."""

from __future__ import annotations

import os
import pwd
import shlex
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.carriers.blobs import parents, processes
from tests.tools import require_tool, run_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLUGIN: Final = [sys.executable, "-m", "udist_plugin"]
BANNER: Final = "authorized users only"
"""What sshd says before a login."""

ATTEMPTS: Final = 5
"""Another program may take the port between its choice and sshd's start."""


class Sshd:
    """Its process, and what logs in to it."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        self.pid = pid
        self.port = port
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self._folder = folder
        self._keys = 0

    def login(self, options: str = "restrict", *, passphrase: str = "", batch: bool = True) -> list[str]:
        """The ``ssh`` words up to the command, with a new key; ``options`` are those of ``authorized_keys``.

        ``batch`` has ssh ask nothing.
        """
        settings = {
            "Port": str(self.port),
            "IdentityFile": self.new_key(options, passphrase),
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": str(self._folder / "known_hosts"),
            "BatchMode": "yes" if batch else "no",
        }
        options_of_ssh = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return [require_tool("ssh"), "-F", "none", *options_of_ssh, "127.0.0.1"]

    def new_key(self, options: str = "restrict", passphrase: str = "") -> str:
        """The file of a new key that may log in."""
        self._keys += 1
        key = self._folder / f"key-{self._keys}"
        _make_key(key, passphrase)
        with (self._folder / "authorized_keys").open("a") as file:
            file.write(f"{options} {key.with_suffix('.pub').read_text()}")
        return str(key)

    def drop(self) -> None:
        """Kills the processes that serve connections (Linux)."""
        sessions = [pid for pid in processes() if next(parents(pid), 0) == self.pid]
        assert sessions
        for pid in sessions:
            os.kill(pid, signal.SIGKILL)


def remote(*words: str) -> str:
    """Words as the remote shell reads them."""
    return shlex.join(words)


@contextmanager
def serving(folder: Path) -> Iterator[Sshd]:
    """Runs a server until the block ends."""
    sshd = require_tool("/usr/sbin/sshd")  # it must be given by its whole path
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", 0o755, exist_ok=True)  # its service's, on Debian
    _make_key(folder / "host")
    (folder / "authorized_keys").touch()
    (folder / "banner").write_text(f"{BANNER}\n")
    for _ in range(ATTEMPTS):
        port = _free_port()
        process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", _configuration(folder, port)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr
            told = ""
            for line in process.stderr:
                told += line
                if "Server listening" in line:
                    break
            else:
                assert "Address already in use" in told, told
                continue
            log = threading.Thread(target=process.stderr.read)
            log.start()
            host = (folder / "host.pub").read_text()
            (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}")
            try:
                yield Sshd(folder, port, process.pid)
            finally:
                process.kill()
                log.join(30)  # its sessions, which have the same standard error, end with their callers
            return
    raise AssertionError(f"sshd found no free port: {told}")


def _configuration(folder: Path, port: int) -> str:
    path = folder / "sshd_config"
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "Banner": folder / "banner",
        "AllowUsers": pwd.getpwuid(os.getuid()).pw_name,
        "PermitRootLogin": "prohibit-password",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "StrictModes": "no",  # the folder is a temporary one
        "UsePAM": "no",
        "PidFile": "none",
        "Subsystem": "sftp internal-sftp",
    }
    path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    return str(path)


def _make_key(path: Path, passphrase: str = "") -> None:
    words = ["-q", "-t", "ed25519", "-N", passphrase, "-C", path.name, "-f", str(path)]
    run_tool("ssh-keygen", *words, cwd=path.parent, timeout=30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
