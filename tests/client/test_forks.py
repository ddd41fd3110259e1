"""A process that forks beside a plugin: the plugin stays its own, and the child neither uses nor holds it."""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING

import pytest

from tests.forked import forked
from tests.server.conftest import COMMAND
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import PluginForked

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),  # what is tried here
]

LARGE = f"/zeros/{1 << 30}"


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(PluginForked, match="start a Plugin in each process"):
        act()


def test_closing_does_not_wait_for_a_child() -> None:
    plugin = Plugin(command=COMMAND)
    wake, ready = os.pipe()
    child = os.fork()
    if not child:
        os.close(ready)
        os.read(wake, 1)
        os._exit(0)
    try:
        begun = time.monotonic()
        plugin.close()
        assert time.monotonic() - begun < 4
        assert plugin.status == 0
    finally:
        os.close(ready)
        os.waitpid(child, 0)
        os.close(wake)


def test_a_child_cannot_use_it_and_its_parent_still_can(plugin: Plugin) -> None:
    begun = plugin.request("GET", LARGE, timeout=60)
    begun.read(1000)
    whole = plugin.request("POST", "/echo", body=b"whole", timeout=60)
    with plugin.request("GET", "/environ", timeout=60) as response:  # the end of ``whole`` has come before
        response.read()

    def try_all() -> None:
        refused(lambda: plugin.request("GET", "/environ"))
        refused(lambda: plugin.request("POST", "/echo", body=bytes(1 << 20)))
        refused(lambda: begun.read(10))
        refused(whole.read)
        begun.close()
        plugin.close()
        assert plugin.status is None

    forked(try_all)
    assert whole.read() == b"whole"
    assert begun.read(20 << 20) == bytes(20 << 20)
    begun.close()
    with plugin.request("GET", "/environ", timeout=60) as response:
        assert response.status == 200


def test_a_child_starts_its_own(plugin: Plugin) -> None:
    def start() -> None:
        with Plugin(command=COMMAND) as own, own.request("GET", "/environ", timeout=60) as response:
            assert response.status == 200
        assert own.status == 0

    forked(start)


def test_a_child_drops_it_silently() -> None:
    plugins = [Plugin(command=COMMAND)]
    responses = [plugins[0].request("GET", LARGE)]

    def drop() -> None:
        told: list[object] = []
        sys.unraisablehook = told.append
        warnings.simplefilter("error")
        responses.clear()
        plugins.clear()
        gc.collect()
        assert told == []

    forked(drop)
    responses.pop().close()
    plugins[0].close()


@pytest.mark.skipif(sys.platform != "linux", reason="open descriptors are looked up in /proc")
@pytest.mark.parametrize("notice", ["a descriptor of the process", "a thread"])
def test_a_child_closes_what_it_has_inherited(notice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if notice == "a thread":
        monkeypatch.delattr(os, "pidfd_open")

    def opened() -> set[str]:
        """Descriptors in use, and for what."""
        found = set()
        for name in os.listdir("/proc/self/fd"):
            try:
                found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
            except FileNotFoundError:  # that which the list was read by
                continue
        return found

    before = opened()
    with Plugin(command=COMMAND) as plugin:
        with plugin.request("POST", "/count", body=bytes(1 << 20), timeout=60) as response:
            response.read()
        assert len(opened() - before) >= 6

        def look() -> None:
            assert opened() - before == set()

        forked(look)


def test_a_fork_amid_the_traffic_of_other_threads(plugin: Plugin) -> None:
    """A lock that one of them held would be held for ever."""
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            with plugin.request("POST", "/echo", body=b"x" * 1000, timeout=60) as response:
                assert len(response.read()) == 1000

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            forked(lambda: refused(lambda: plugin.request("GET", "/environ")))
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def test_it_does_not_travel_to_other_processes(plugin: Plugin) -> None:
    with pytest.raises(TypeError, match="start one in each process"):
        pickle.dumps(plugin)
