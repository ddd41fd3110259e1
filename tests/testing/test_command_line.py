"""The programs of ``udist_plugin.testing`` end as other tools do, whoever leaves and whatever is full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = [sys.executable, "-m"]
LIST = [*PYTHON, "udist_plugin.testing.callers", "--list"]
TRACE = '{"trace": 1, "implementation": "a/1", "program": "b", "time": "c"}\n'
SETTINGS = '{"t": 0, "from": "caller", "frame": {"settings": {"versions": [1]}}}\n'
READY = '{"t": 1, "from": "plugin", "frame": {"settings": {"versions": [1]}}}\n'


def printing(folder: Path) -> list[str]:
    trace = folder / "trace.jsonl"
    trace.write_text(TRACE + '{"t": 1, "from": "caller", "frame": {"ping": {"token": 1}}}\n' * 20_000)
    return [*PYTHON, "udist_plugin.testing.trace", str(trace)]


@pytest.fixture(params=["callers", "trace"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """One that prints more than a pipe holds unread, or than a buffer does."""
    return LIST if request.param == "callers" else printing(tmp_path)


def test_a_reader_may_leave(program: list[str]) -> None:
    source, sink = os.pipe()
    os.close(source)
    with os.fdopen(sink, "w") as gone:
        ran = subprocess.run(program, stdout=gone, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_an_output_without_room_is_told(program: list[str]) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, timeout=60, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("python -m udist_plugin.testing.")
    assert ran.stderr.count("\n") == 1
    assert "No space left on device" in ran.stderr


def test_an_interrupt_is_no_stack_trace(tmp_path: Path) -> None:
    """In the middle of a replay."""
    (tmp_path / "trace").write_text(TRACE + SETTINGS + READY)
    started = tmp_path / "started"
    os.mkfifo(started)
    hanging = f"open({str(started)!r}, 'w').close(); import sys; sys.stdin.read()"
    command = [*PYTHON, "udist_plugin.testing.trace", "--replay", str(tmp_path / "trace"), "--"]
    with subprocess.Popen(
        [*command, sys.executable, "-c", hanging], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        started.read_bytes()
        running.send_signal(signal.SIGINT)
        assert running.communicate(timeout=60) == (b"", b"")
    assert running.returncode == 130
