"""The lines that tell how far a push or a pull is."""

from __future__ import annotations

import threading

import pytest

from udist_plugin.cli.transfer import Transfer, duration_text


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Position:
    """How many bytes of a file are through."""

    def __init__(self, done: int = 0) -> None:
        self.done = done

    def __call__(self) -> int:
        return self.done


def test_the_whole_with_rate_and_time_left_and_the_files_under_way() -> None:
    clock, position = Clock(), Position(2_000_000)
    transfer = Transfer("push", clock=clock)
    transfer.expect(3, 10_000_000)
    assert transfer.lines() == ["pushing 0/3 files  0 B of 10.0 MB"]
    with transfer.begin("hashing", "one", 4_000_000, position) as task:
        assert transfer.lines() == ["pushing 0/3 files  0 B of 10.0 MB", "  hashing  50% of 4.0 MB  one"]
        task.end("hashed")
    with transfer.begin("pushing", "one", 4_000_000, position) as task:
        with transfer.begin("packing", "fol\x1bder", None, Position()) as packing:
            clock.now += 2
            assert transfer.lines() == [
                "pushing 0/3 files  2.0 MB of 10.0 MB  1.0 MB/s  8.0 s left",
                "  pushing  50% of 4.0 MB  one",
                "  packing fol\N{REPLACEMENT CHARACTER}der",
            ]
            packing.end("packed")
        task.end("pushed")
    transfer.expect(0, 1_000_000)
    clock.now += 2
    assert transfer.lines() == ["pushing 1/3 files  4.0 MB of 11.0 MB  1.0 MB/s  7.0 s left"]


def test_what_was_there_already_does_not_count_for_the_rate() -> None:
    clock = Clock()
    transfer = Transfer("push", clock=clock)
    transfer.expect(2, 3_000_000)
    with transfer.begin("pushing", "one", 2_000_000, Position()) as task:
        task.end("exists")
    clock.now += 1
    assert transfer.lines() == ["pushing 1/2 files  2.0 MB of 3.0 MB"]
    with transfer.begin("pushing", "two", 1_000_000, Position()) as task:
        task.end("pushed")
    assert transfer.summary() == "pushed 2 files, 3.0 MB in 1.0 s; 1 already there"


def test_a_file_that_failed_is_not_counted() -> None:
    transfer = Transfer("pull", clock=Clock())
    transfer.expect(1, 10)
    with pytest.raises(ValueError, match="broken"), transfer.begin("pulling", "one", 10, Position(5)):
        raise ValueError("broken")
    assert transfer.lines() == ["pulling 0/1 files  0 B of 10 B"]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    clock, position = Clock(), Position()
    transfer = Transfer("pull", clock=clock)
    transfer.expect(1, 1_000_000_000)
    with transfer.begin("pulling", "one", 1_000_000_000, position):
        for second in range(60):
            clock.now += 1
            position.done += 1_000_000 if second < 10 else 2_000_000
            lines = transfer.lines()
    assert "  2.0 MB/s  " in lines[0]


def test_threads_lose_nothing() -> None:
    transfer = Transfer("push")

    def work() -> None:
        for _ in range(200):
            transfer.expect(1, 1)
            with transfer.begin("pushing", "x", 1, Position()) as task:
                task.end("pushed")
            transfer.lines()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert transfer.lines()[0].startswith("pushing 1000/1000 files  1.0 kB of 1.0 kB")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (10, "0:10"), (75, "1:15"), (3599.6, "1:00:00"), (90061, "25:01:01")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
