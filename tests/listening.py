"""Proof that plugins listen on no TCP port, by what the kernel says of all sockets (proc(5))."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests import workers
from udist_plugin.link.fds import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTENING: Final = "0A"
SEEN_ALL: Final = "looked on to the end"
INTERVAL: Final = 0.1
"""Seconds between looks."""


@contextmanager
def no_plugin_listens() -> Iterator[None]:
    """Has another process look at all plugins of this test run, and fails if one of them has listened.

    It is no child of this one, as tests make sure that there is none.
    """
    command = [sys.executable, "-m", "tests.listening", os.environ[workers.FOLDER]]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.wait(20) == 0
        assert parent.stdin and parent.stdout
        yield
        parent.stdin.close()
        assert wait_for(parent.stdout.fileno(), timeout=20), "the process that looks on does not end"
        assert parent.stdout.read() == f"{SEEN_ALL}\n", "plugins listen on TCP ports"


class Watch:
    """Looks at the plugins of one test ``run``. ``seen`` are those there were, ``found`` those that listened,
    with their ports."""

    def __init__(self, run: str) -> None:
        self.seen: set[int] = set()
        self.found: dict[int, set[int]] = {}
        self._run = f"{workers.FOLDER}={run}".encode()

    def look(self) -> None:
        ports = listeners()
        for pid in filter(self._is_plugin, map(int, filter(str.isdigit, os.listdir("/proc")))):
            self.seen.add(pid)
            if open_ports := {ports[inode] for inode in sockets(pid) & ports.keys()}:
                self.found.setdefault(pid, set()).update(open_ports)

    def _is_plugin(self, pid: int) -> bool:
        """``udist exec`` is none: to listen is what it is for."""
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"exec" not in words and any(
                b"udist-plugin" in word or b"cli.plugin" in word for word in words
            ):
                return self._run in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return False


def listeners() -> dict[str, int]:
    """Ports that somebody listens at, by the inode of the socket."""
    found = {}
    for name in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING:
                    found[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    return found


def sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    with suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def main(run: str) -> None:
    """Looks on, as a child of nobody, until the end of standard input, and tells what was found."""
    if os.fork():
        os._exit(0)
    watch = Watch(run)
    while not wait_for(sys.stdin.fileno(), timeout=INTERVAL):
        watch.look()
    for pid, ports in watch.found.items():
        print(f"process {pid}: {sorted(ports)}")
    print(SEEN_ALL)


if __name__ == "__main__":
    main(sys.argv[1])
