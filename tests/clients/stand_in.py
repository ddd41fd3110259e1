"""An executable file for this platform that is a plugin, in place of the one that a release has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from tests.tools import run_tool
from tests.workers import folder, once
from udist_plugin.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

_SOURCE: Final = """\
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char *name = strrchr(argv[0], '/');
    int given = argc > 1 && strcmp(argv[1], "udist-plugin") == 0;
    if (!given && strcmp(name ? name + 1 : argv[0], "udist-plugin") != 0) return 64;
    if (argc > 1 + given && strcmp(argv[1 + given], "--version") == 0) {
        puts("udist-plugin " VERSION);
        return 0;
    }
    fputs("time=now level=warning msg=\\"the stand-in\\"\\n", stderr);
    execl(PYTHON, PYTHON, "-m", "udist_plugin", (char *)NULL);
    return 70;
}
"""


def stand_in(version: str = __version__) -> Path:
    """A program that starts this interpreter's plugin, and logs a warning: ``the stand-in``."""
    program = folder() / f"stand-in-{version}"
    source = program.with_suffix(".c")

    def compile_once() -> None:
        source.write_text(_SOURCE)
        told = [f'-DPYTHON="{sys.executable}"', f'-DVERSION="{version}"']
        run_tool("gcc", *told, "-o", str(program), str(source), cwd=folder(), timeout=60)

    once(program.name, compile_once)
    return program
