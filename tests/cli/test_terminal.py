"""On a terminal there are progress bars on standard error, and standard output is the digest all the same."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

from tests.cli.test_failures import COMMAND
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path


def on_terminal(*words: str) -> tuple[str, str]:
    """What ``udist`` prints on standard output, and on a terminal that is its standard error."""
    screen, terminal = pty.openpty()
    environ = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    running = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=terminal, env=environ)
    os.close(terminal)
    shown = b""
    try:
        while data := os.read(screen, 4096):
            shown += data
    except OSError:  # EIO: the last writer has gone
        pass
    finally:
        os.close(screen)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    return out.decode(), shown.decode()


def test_bars_tell_what_happened(work: Path) -> None:
    (work / "[bold]big").write_bytes(bytes(3_000_000))
    out, shown = on_terminal("push", "demo/a", "[bold]big", "folder")
    Digest(out.strip())
    assert "[bold]big" in shown
    assert "pushed" in shown
    assert "3.0/3.0 MB" in shown
    out, shown = on_terminal("push", "demo/a", "[bold]big")
    assert "exists" in shown
    out, shown = on_terminal("pull", "demo/a", "-o", "out")
    assert "pulled" in shown
    assert (work / "out/[bold]big").stat().st_size == 3_000_000


def test_quiet_shows_nothing_but_the_digest(work: Path) -> None:
    (work / "big").write_bytes(bytes(3_000_000))
    for words in (("push", "demo/a", "big", "--quiet"), ("-q", "pull", "demo/a", "-o", "out")):
        out, shown = on_terminal(*words)
        Digest(out.strip())
        assert shown == ""
