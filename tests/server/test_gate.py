"""One small request at a time is inside the gate, and nobody is held up by one that waits."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.link.waiting import until
from udist_plugin.client.plugin import Plugin
from udist_plugin.drivers.filesystem import calls
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.server import gate as gates
from udist_plugin.server.gate import Gate
from udist_plugin.storage.paths import SCRATCH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is held up waits for too long."""
    monkeypatch.setattr(gates, "HELD", 60.0)
    monkeypatch.setattr(gates, "PATIENCE", 60.0)


@pytest.fixture
def gate() -> Gate:
    return Gate()


class Visitor:
    """A thread that enters, and stays until it is told to leave."""

    def __init__(self, gate: Gate) -> None:
        self.entered = threading.Event()
        self._told = threading.Event()
        self._gate = gate
        self._thread = threading.Thread(target=self._visit)
        self._thread.start()

    def _visit(self) -> None:
        self._gate.enter()
        self.entered.set()
        self._told.wait(30)
        self._gate.leave()

    def leave(self) -> None:
        self._told.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.mark.usefixtures("patient")
def test_one_is_inside_at_a_time(gate: Gate) -> None:
    gate.enter()
    second = Visitor(gate)
    until(lambda: len(gate._waiting) == 1)
    assert not second.entered.is_set()
    gate.leave()
    assert second.entered.wait(30)
    second.leave()
    gate.enter()  # it is free again


@pytest.mark.usefixtures("patient")
def test_who_waits_for_something_lets_others_in(gate: Gate) -> None:
    gate.enter()
    with gate.outside():
        second = Visitor(gate)
        assert second.entered.wait(30)
        third = Visitor(gate)
        until(lambda: len(gate._waiting) == 1)
        second.leave()
        assert third.entered.wait(30)
        third.leave()
    fourth = Visitor(gate)
    until(lambda: len(gate._waiting) == 1)
    assert not fourth.entered.is_set()
    gate.leave()
    fourth.leave()


@pytest.mark.usefixtures("patient")
def test_who_is_not_inside_goes_nowhere(gate: Gate) -> None:
    second = Visitor(gate)
    assert second.entered.wait(30)
    gate.leave()
    with gate.outside():
        pass
    assert gate._inside != threading.get_ident()
    third = Visitor(gate)
    until(lambda: len(gate._waiting) == 1)
    assert not third.entered.is_set()
    second.leave()
    third.leave()


def test_one_that_takes_too_long_holds_up_nobody(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "PATIENCE", 60.0)
    gate.enter()
    others = [Visitor(gate) for _ in range(3)]
    for other in others:
        assert other.entered.wait(30)
        other.leave()
    monkeypatch.setattr(gates, "HELD", 60.0)
    last = Visitor(gate)
    until(lambda: len(gate._waiting) == 1)  # those who went by have not let anybody in
    gate.leave()
    last.leave()


def test_many_before_it_hold_up_nobody_for_long(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "HELD", 60.0)
    monkeypatch.setattr(gates, "PATIENCE", 0.01)
    gate.enter()
    second = Visitor(gate)
    assert second.entered.wait(30)
    second.leave()


def test_patience_bounds_all_waits_together(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others come and go meanwhile, each in time."""
    now = 0.0

    class Taken:
        def acquire(self, blocking: bool = True, timeout: float = 0.0) -> bool:
            nonlocal now
            assert timeout >= 0
            now += timeout
            gate._since = now
            return False

    monkeypatch.setattr(gates, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(gate, "_lock", Taken())
    gate.enter()
    assert now == pytest.approx(gates.PATIENCE)
    assert gate._inside == 0


@pytest.mark.usefixtures("patient")
def test_a_disk_that_syncs_slowly_lets_others_in(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = FilesystemDriver(str(tmp_path), SCRATCH)
    assert driver.wait_within(gate.outside)
    synced: list[str] = []

    def recorded(verb: str) -> None:
        call = getattr(calls, verb)

        def sync(of: object) -> None:
            with ThreadPoolExecutor(1) as another:
                another.submit(gate.enter).result(30)
                another.submit(gate.leave).result(30)
            synced.append(verb)
            call(of)

        monkeypatch.setattr(calls, verb, sync)

    recorded("sync")
    recorded("sync_folder")
    gate.enter()
    driver.put_content("/a/link", b"x")
    with driver.writer("/b/data") as writer:
        writer.write(b"x")
        writer.commit()
    with driver.writer("/c/data", append=True) as writer:
        writer.write(b"x")
        writer.commit("/d/data")
    assert synced.count("sync") == 3
    assert synced.count("sync_folder") > 5
    assert gate._inside == threading.get_ident()


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    with Plugin(command=[sys.executable, "-m", "tests.server.gated"]) as plugin:
        yield plugin


def small_request(plugin: Plugin) -> int:
    with plugin.request("POST", "/echo", body=b"small", timeout=30) as response:
        assert response.read() == b"small"
        return response.status


@pytest.mark.parametrize("length", [[("content-length", "10")], []])
def test_a_caller_that_sends_slowly_holds_up_nobody(plugin: Plugin, length: list[tuple[str, str]]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def content() -> Iterator[bytes]:
        yield b"12345"
        begun.set()
        assert go_on.wait(30)
        yield b"67890"

    def push() -> bytes:
        with plugin.request("POST", "/count", length, content()) as response:
            return response.read()

    with ThreadPoolExecutor(1) as pool:
        pushed = pool.submit(push)
        assert begun.wait(30)
        assert small_request(plugin) == 200
        go_on.set()
        assert pushed.result(30) == b"10"


def test_a_caller_that_reads_slowly_holds_up_nobody(plugin: Plugin, tmp_path: Path) -> None:
    size = 8 * MIB
    (tmp_path / "file").write_bytes(bytes(size))
    for target in (f"/zeros/{size}", f"/file{tmp_path}/file"):
        with plugin.request("GET", target) as response:
            assert small_request(plugin) == 200
            assert len(response.read()) == size
