"""A thousand requests at once: what nobody reads, or goes on with, holds up no other and takes few bytes."""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.link.waiting import until
from tests.server.conftest import COMMAND
from tests.server.raw import raw
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import NoFreeSlot
from udist_plugin.link.waiter import Waiter
from udist_plugin.oci.digest import Digest
from udist_plugin.wire.constants import DECLARED_CREDIT, INITIAL_STREAMS
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, Request, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.client.response import Response

MIB = 1 << 20
MANY = 1000
MEMORY = 96 * MIB
BLOB = bytes(4 * MIB)
TARGET = f"/v2/a/b/blobs/{Digest.of(BLOB)}"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells threads, memory and descriptors")


def registry(root: Path, more: str = "", command: list[str] | None = None, files: bool = False) -> Plugin:
    config = f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\n{more}"
    return Plugin(config, command=command, files=files)


@pytest.fixture(params=[False, True], ids=["carried", "in-files"])
def plugin(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Plugin]:
    with registry(tmp_path, files=request.param) as plugin:
        push(plugin)
        yield plugin


def push(plugin: Plugin) -> None:
    target = f"/v2/a/b/blobs/uploads/?digest={Digest.of(BLOB)}"
    with plugin.request("POST", target, body=BLOB, timeout=60) as response:
        assert response.status == 201


def unread(plugin: Plugin, stack: ExitStack, number: int = MANY) -> list[Response]:
    return [stack.enter_context(plugin.request("GET", TARGET, timeout=120)) for _ in range(number)]


def asks(plugin: Plugin) -> int:
    with plugin.request("HEAD", TARGET, timeout=60) as response:
        return response.status


def status(plugin: Plugin, name: str) -> int:
    """A number that the kernel tells of the plugin's process; memory in bytes."""
    found = re.search(
        rf"^{name}:\s*(\d+)( kB)?", Path(f"/proc/{plugin.pid}/status").read_text(), re.MULTILINE
    )
    assert found
    return int(found[1]) * (1024 if found[2] else 1)


def switches(plugin: Plugin) -> int:
    """How often the plugin's threads have waited for something so far."""
    tasks = Path(f"/proc/{plugin.pid}/task").glob("*/status")
    told = re.compile(r"^voluntary_ctxt_switches:\s*(\d+)", re.MULTILINE)
    return sum(int(told.findall(each.read_text())[0]) for each in tasks)


def test_a_thousand_responses_that_nobody_reads_hold_up_no_other(plugin: Plugin) -> None:
    with ExitStack() as stack:
        responses = unread(plugin, stack)
        assert asks(plugin) == 200
        assert status(plugin, "VmHWM") < MEMORY
        assert responses[-1].read() == BLOB
        assert responses[0].read() == BLOB


def test_a_small_request_beside_them_changes_threads_no_more_often_than_alone(plugin: Plugin) -> None:
    def waits() -> int:
        before = switches(plugin)
        for _ in range(500):
            assert asks(plugin) == 200
        return switches(plugin) - before

    waits()
    alone = min(waits() for _ in range(3))
    with ExitStack() as stack:
        unread(plugin, stack, 500)
        assert min(waits() for _ in range(3)) < 1.5 * alone + 250


def test_they_hold_no_pipes(plugin: Plugin) -> None:
    with ExitStack() as stack:
        unread(plugin, stack)
        assert len(os.listdir(f"/proc/{plugin.pid}/fd")) < MANY + 100


def test_threads_of_a_burst_end(tmp_path: Path) -> None:
    with registry(tmp_path) as plugin:
        push(plugin)
        with ExitStack() as stack:
            unread(plugin, stack)
            assert status(plugin, "Threads") > MANY
        until(lambda: asks(plugin) == 200 and status(plugin, "Threads") < 100)


def test_a_thousand_uploads_that_nobody_goes_on_with_take_little_memory() -> None:
    """Whoever serves them reads nothing, so that everything they sent stays in the plugin's memory."""
    head = Request("POST", "http", "localhost", "/stall")
    with Plugin(command=[*COMMAND, "1024"]) as plugin, ExitStack() as stack:
        uploads = [plugin.link.open(head, None, None, Waiter(), end=False) for _ in range(MANY)]
        for each in uploads:
            stack.callback(plugin.link.cancel, each)
            each.send_content(bytes(each.stream.send_window.credit), end=False)
        with plugin.request("POST", "/echo", body=b"small", timeout=60) as response:
            assert response.read() == b"small"
        assert status(plugin, "VmHWM") < MEMORY
        with plugin.request("GET", "/resume", timeout=60) as response:
            assert response.status == 204
        for each in uploads:
            each.wait_head()


def test_the_configuration_says_how_many(tmp_path: Path) -> None:
    with registry(tmp_path, "udist: {maxstreams: 100}") as plugin, ExitStack() as stack:
        push(plugin)
        unread(plugin, stack, 100)
        with pytest.raises(NoFreeSlot):
            plugin.request("HEAD", TARGET, slot_timeout=0.2)


@pytest.mark.parametrize(("capabilities", "streams"), [([], INITIAL_STREAMS), ([DECLARED_CREDIT], 1024)])
def test_a_caller_that_does_not_declare_its_credit_has_the_first_streams_alone(
    capabilities: list[str], streams: int
) -> None:
    settings = Settings([1], 0, capabilities, configuration="version: 0.1\nstorage: {inmemory: {}}")
    status, [frame], _ = raw(encode(Frame(0, settings)))
    assert isinstance(frame.body, Settings)
    assert (status, frame.body.max_streams, frame.body.capabilities) == (0, streams, capabilities)


@pytest.mark.parametrize("limit", ["-n 200", "-S -n 200"])
def test_descriptors_are_used_as_far_as_the_hard_limit(tmp_path: Path, limit: str) -> None:
    """With a low hard limit, some are told to come again, and nobody else is held up."""
    command = ["sh", "-c", f"ulimit {limit}; exec '{sys.executable}' -m udist_plugin"]
    with registry(tmp_path, command=command) as plugin, ExitStack() as stack:
        push(plugin)
        answers = {response.status for response in unread(plugin, stack, 400)}
        assert answers == ({200} if "-S" in limit else {200, 503})
        assert asks(plugin) in (200, 503)
