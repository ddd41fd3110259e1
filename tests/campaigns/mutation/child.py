"""A fork of this process, which has imported what takes long, with a tree of its own and bounds."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEMORY = 6 << 30
FILE = 1 << 30
"""Bytes that a mutant which never stops may take."""
POLL = 0.02
WARM = [
    "google.protobuf.json_format",
    "httpx",
    "hypothesis.stateful",
    "platformdirs",
    "requests",
    "rich.progress",
]
"""Imported once here, for all forks."""
PYTEST = ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
"""What every pytest in a fork is told: what is imported already cannot be rewritten."""


def warm_up() -> None:
    for name in WARM:
        importlib.import_module(name)


def fork(work: Callable[[], int], tree: Path, log: Path) -> int:
    """Starts ``work`` in ``tree``; returns the process's id, which is its group's as well."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        enter(tree, log)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def enter(tree: Path, log: Path) -> None:
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (out, 1), (out, 2)):
        os.dup2(source, target)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    os.chdir(tree)
    os.environ["PYTHONPATH"] = sys.path[0] = str(tree)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "udist_plugin")]:
        del sys.modules[name]  # the tree has its own


def ended(pid: int) -> int | None:
    """The exit code, if it has ended; what it left behind is killed."""
    found, status = os.waitpid(pid, os.WNOHANG)
    if not found:
        return None
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def forked(work: Callable[[], int], tree: Path, log: Path, timeout: float) -> int:
    """Runs ``work`` and returns its exit code. Raises ``TimeoutError``."""
    pid = fork(work, tree, log)
    until = time.monotonic() + timeout
    while (code := ended(pid)) is None:
        if time.monotonic() > until:
            kill(pid)
            raise TimeoutError(f"no end after {timeout} s: see {log}")
        time.sleep(POLL)
    return code
