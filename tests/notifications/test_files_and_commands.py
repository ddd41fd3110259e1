"""Endpoints that are files and commands."""

from __future__ import annotations

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.link.waiting import until
from tests.notifications.events import configured, push
from tests.server.raw import PLUGIN
from udist_plugin import Plugin, create_app
from udist_plugin.errors import HandshakeFailed
from udist_plugin.notifications.endpoints import ExecEndpoint, FileEndpoint
from udist_plugin.notifications.queue import NotDelivered
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

BLOBS = [b"one", b"two", b"three"]


def digests_in(file: Path) -> list[str]:
    lines = file.read_text().splitlines()
    return [event["target"]["digest"] for line in lines for event in json.loads(line)["events"]]


def command(program: str, *arguments: object) -> str:
    return shlex.join([sys.executable, "-c", program, *map(str, arguments)])


@pytest.mark.parametrize("scheme", ["file:", "file://"])
def test_a_file_gets_a_line_for_each_event(tmp_path: Path, scheme: str) -> None:
    file = tmp_path / "with space"
    file.write_text("")
    for _ in range(2):  # it is appended to
        with create_app(configured({"url": f"{scheme}{file}"})) as app:
            digests = push(app, BLOBS)
    assert digests_in(file) == digests * 2


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    with create_app(configured({"url": f"file:{folder}/events"})) as app:
        digests = push(app, BLOBS)
        folder.mkdir()
    assert digests_in(folder / "events") == digests


def test_a_pipe_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    endpoint = FileEndpoint(str(pipe))
    with pytest.raises(NotDelivered, match="pipe: No such device or address"):
        endpoint.deliver(b"{}")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    endpoint.deliver(b"{}")
    assert os.read(reader, 10) == b"{}\n"
    os.close(reader)


def test_a_line_that_was_cut_short_is_left_behind(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    endpoint = FileEndpoint(str(pipe))
    with pytest.raises(NotDelivered, match="only a part"):
        endpoint.deliver(b"x" * (1 << 20))
    while set(os.read(reader, 1 << 20)) != {ord("x")}:
        pass
    until(lambda: _drained(reader))
    endpoint.deliver(b"whole")
    assert os.read(reader, 100) == b"\nwhole\n"
    os.close(reader)


def _drained(reader: int) -> bool:
    try:
        return not os.read(reader, 1 << 20)
    except BlockingIOError:
        return True


def test_a_command_gets_each_event_on_its_standard_input(tmp_path: Path) -> None:
    """One that fails is run again with the same event."""
    program = (
        "import sys; file = open(sys.argv[1], 'a+'); file.write(sys.stdin.read() + '\\n'); file.seek(0); "
        "sys.exit(len(file.readlines()) == 1)"
    )
    events = tmp_path / "events"
    with create_app(configured({"url": f"exec:{command(program, events)}"})) as app:
        digests = push(app, BLOBS)
    assert digests_in(events) == [digests[0], *digests]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("/bin/false", "/bin/false: ended with status 1"),
        (command("import time; time.sleep(600)"), "still running after 1 s"),
        (command("import subprocess; subprocess.run(['sleep', '600'])"), "still running after 1 s"),
        ("/nowhere/command", "/nowhere/command: No such file or directory"),
    ],
)
def test_a_command_that_fails(words: str, problem: str) -> None:
    with pytest.raises(NotDelivered, match=problem):
        ExecEndpoint(words, 1.0).deliver(b"{}")


def test_the_pipe_of_a_command_that_was_killed_is_closed() -> None:
    """It was still full, so ``communicate`` had not closed it: a warning would fail this."""
    endpoint = ExecEndpoint(command("import time; time.sleep(600)"), 0.5)
    with pytest.raises(NotDelivered, match="still running"):
        endpoint.deliver(b"x" * (1 << 20))


def test_a_command_that_reads_nothing_has_taken_the_event() -> None:
    assert ExecEndpoint(command("pass"), 30.0).deliver(b"x" * (1 << 20)) == 0


def test_a_locked_plugin_runs_only_its_own_file_s_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')"
    own, other = tmp_path / "own", tmp_path / "other"
    file = tmp_path / "config.yml"
    file.write_text(json.dumps(configured({"url": f"exec:{command(program, own)}"})))
    locked = [*PLUGIN, "--locked", "--config", str(file)]
    callers = configured({"url": f"exec:{command(program, other)}"})
    with pytest.raises(HandshakeFailed, match="locked"):
        Plugin(callers, command=locked)
    monkeypatch.setenv("REGISTRY_NOTIFICATIONS_ENDPOINTS_0_URL", f"exec:{command(program, other)}")
    digest = Digest.of(b"blob")
    with Plugin(command=locked) as plugin:
        target = f"/v2/a/blobs/uploads/?digest={digest}"
        with plugin.request("POST", target, body=b"blob") as response:
            assert response.status == 201
    assert digests_in(own) == [digest]
    assert not other.exists()
