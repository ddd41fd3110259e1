"""On a terminal standard error shows the progress, and standard output is the digest all the same."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from typing import TYPE_CHECKING

from tests.cli.terminal import shown_on
from tests.cli.test_failures import COMMAND
from tests.images.sample import Layout
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path


def on_terminal(*words: str) -> tuple[str, str]:
    """What ``udist`` prints on standard output, and on a terminal that is its standard error."""
    screen, terminal = pty.openpty()
    environ = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    running = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=terminal, env=environ)
    os.close(terminal)
    shown = shown_on(screen)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    return out.decode(), shown.decode()


def test_a_line_for_the_whole_and_at_the_end_what_was_done(work: Path) -> None:
    (work / "[bold]big").write_bytes(bytes(3_000_000))
    out, shown = on_terminal("push", "demo/a", "[bold]big", "folder")
    Digest(out.strip())
    assert "/2 files" in shown
    assert "pushed 2 files, 3.0 MB in " in shown
    out, shown = on_terminal("push", "demo/a", "[bold]big")
    assert "; 1 already there" in shown
    out, shown = on_terminal("pull", "demo/a", "-o", "out")
    assert "pulled 1 file, 3.0 MB in " in shown
    assert (work / "out/[bold]big").stat().st_size == 3_000_000


def test_layers_that_are_read_for_a_comparison_or_an_archive(work: Path) -> None:
    layout = Layout(work / "layout")
    for name, content in (("one", b"a"), ("two", b"b")):
        layout.image(name, layers=[content * 1_000_000])
    _, shown = on_terminal("diff", "oci:layout:one", "oci:layout:two")
    assert "/2 layers" in shown
    assert "unpacked 2 layers, 2.0 MB in " in shown
    _, shown = on_terminal("export", "oci:layout:one", "rootfs.tar")
    assert "exported 1 layer, 1.0 MB in " in shown
    _, shown = on_terminal("import", "rootfs.tar", "demo/flat")
    assert "imported 2 blobs, " in shown


def test_quiet_shows_nothing_but_the_digest(work: Path) -> None:
    (work / "big").write_bytes(bytes(3_000_000))
    for words in (("push", "demo/a", "big", "--quiet"), ("-q", "pull", "demo/a", "-o", "out")):
        out, shown = on_terminal(*words)
        Digest(out.strip())
        assert shown == ""


def test_the_cursor_is_never_hidden(work: Path) -> None:
    """So it is there whatever ends the process."""
    _, shown = on_terminal("push", "demo/a", "README.md")
    assert "\x1b[?25l" not in shown


def test_many_small_files_take_few_repaints(work: Path) -> None:
    """One or two for each tenth of a second, however many files end in it."""
    names = [f"{number:04}" for number in range(400)]
    for name in names:
        (work / name).write_text(name)
    begun = time.monotonic()
    _, shown = on_terminal("push", "demo/a", *names)
    seconds = time.monotonic() - begun
    assert "pushed 400 files, " in shown
    assert 1 <= shown.count("/400 files") <= 4 + 12 * seconds
