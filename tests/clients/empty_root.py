"""A root file system with nothing in it but what a test puts there: no Python, no shell, no library."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING, Final

from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TIMEOUT: Final = 120.0  # seconds


def run_in(
    root: Path, *command: str, mounts: Mapping[str, str] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs ``command`` as the root of a user namespace, in ``root``, which gets ``/proc``, ``/dev/null`` and
    an empty ``/tmp``.

    ``mounts`` are more temporary file systems: options by folder. The environment is ``environment`` alone.
    Standard error comes with the output.
    """
    shell = []
    for folder, options in {"tmp": "mode=1777", **(mounts or {})}.items():
        (root / folder).mkdir(exist_ok=True)
        shell.append(shlex.join(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(root / folder)]))
    (root / "proc").mkdir(exist_ok=True)
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / "null").touch()
    shell.append(shlex.join(["mount", "--bind", "/dev/null", str(root / "dev" / "null")]))
    inside = ["unshare", "--pid", "--fork", f"--root={root}", "--mount-proc=/proc", *command]
    given = [f"{name}={value}" for name, value in environment.items()]
    shell.append(shlex.join(["exec", require_tool("env"), "-i", f"PATH={_PATH}", *given, *inside]))
    namespace = [require_tool("unshare"), "--user", "--map-root-user", "--mount", "sh", "-e", "-c"]
    return subprocess.run(
        [*namespace, "\n".join(shell)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
"""Where ``unshare`` is; in the root there is nothing."""
