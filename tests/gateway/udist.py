"""``udist exec`` as its user has it: a home, a store, and what is left when it is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

UDIST = [sys.executable, "-m", "udist_plugin.cli.main"]
SOON = 20.0
"""Seconds in which all that is awaited happens, also on a busy machine."""


class Home(NamedTuple):
    """Somebody who uses ``udist exec``. ``runtime`` is where private files go."""

    path: Path
    runtime: Path
    environ: dict[str, str]

    @classmethod
    def make(cls, root: Path) -> Home:
        home, runtime = root / "home", root / "runtime"
        home.mkdir(parents=True)
        runtime.mkdir(mode=0o700)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "TMPDIR")}
        environ = kept | {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(root / "data"),
        }
        return cls(home, runtime, environ)

    def exec(
        self, *words: str, options: tuple[str, ...] = (), cwd: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """``udist exec OPTIONS -- WORDS``, to its end."""
        return subprocess.run(
            [*UDIST, "exec", *options, *(("--", *words) if words else ())],
            env=self.environ | environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def succeed(self, *words: str, options: tuple[str, ...] = (), cwd: Path | None = None) -> str:
        """What the command prints."""
        ran = self.exec(*words, options=options, cwd=cwd)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def start(self, *words: str, options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        return subprocess.Popen(
            # A shell cannot trap what was ignored before it, such as SIGHUP under nohup.
            ["env", "--default-signal=HUP", *UDIST, "exec", *options, "--", *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def folders(self) -> list[Path]:
        """Of gateways, living and dead."""
        place = self.runtime / "udist"
        return list(place.iterdir()) if place.exists() else []


def eventually(holds: Callable[[], bool], seconds: float = SOON) -> bool:
    """Whether something comes to hold; what other processes do tells nobody when it is done."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def listens(address: str) -> bool:
    """Whether somebody listens at ``HOST:PORT``."""
    return int(address.rpartition(":")[2]) in listening_ports()


def listening_ports() -> set[int]:
    """Of all processes in this network namespace (proc(5))."""
    ports = set()
    for name in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
