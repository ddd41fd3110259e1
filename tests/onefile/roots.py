"""Roots that hold the single file, what a program of the tests needs, and no Python."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

from tests.house.generate import REPOSITORY
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

VECTORS = REPOSITORY / "tests" / "vectors"


def in_root(file: Path, *options: str) -> list[str]:
    """The words before a command of an ordinary user in a root with ``/udist``, ``/bin/udist-plugin``,
    ``/dev``, ``/proc``, ``/tmp``, and what bubblewrap's ``options`` mount."""
    command = [require_tool("bwrap"), "--die-with-parent", "--unshare-user", "--unshare-pid"]
    user = ["--uid", "65532", "--gid", "65532", "--clearenv"]
    view = ["--proc", "/proc", "--dev", "/dev", "--ro-bind", str(file), "/udist", "--tmpfs", "/tmp"]
    return [*command, *user, *view, "--symlink", "/udist", "/bin/udist-plugin", *options]


def with_client(file: Path, folder: Path, *programs: str) -> list[str]:
    """As ``in_root``, in a client's ``folder``, with ``programs`` and the libraries that those need."""
    seen = {path: path for path in map(str, (folder, VECTORS))}
    for program in programs:
        seen[program] = os.path.realpath(program)
        said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False, timeout=60)
        seen |= {path: os.path.realpath(path) for path in re.findall(r"(/\S+) \(0x", said.stdout)}
    mounts = [word for path, source in seen.items() for word in ("--ro-bind", source, path)]
    environ = {"UDIST_PLUGIN": "/bin/udist-plugin", "HOME": "/tmp", "PATH": "/bin:/usr/bin"}
    variables = [word for name, value in environ.items() for word in ("--setenv", name, value)]
    return [*in_root(file, *mounts, *variables), "--chdir", str(folder)]
