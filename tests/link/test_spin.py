"""The next frame is looked for before a read that blocks, but only while frames follow closely."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from udist_plugin.link import input as module
from udist_plugin.link.input import FrameInput
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, Ping

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAME = encode(Frame(0, Ping(7)))
SPIN = 100
TICK = 10
"""What each look takes. The clock has whole numbers: it counts exactly."""


class Source:
    """A source of frames, and how often it was looked at. ``there``: whether a look finds a frame."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ends: tuple[int, int]) -> None:
        self.looks = 0
        self.there = True
        self.now = 0
        self._sink = ends[1]
        self._input = FrameInput(ends[0], lambda _: None, None)
        monkeypatch.setattr(module, "wait_for", self._look)
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))

    def _look(self, _: int, *, timeout: float) -> bool:
        assert timeout == 0
        self.looks += 1
        self.now += TICK
        return self.there

    def next(self, spin: float = SPIN) -> int:
        """Reads the next frame; how often it was looked for."""
        before = self.looks
        os.write(self._sink, FRAME)
        self._input.spin = spin
        assert self._input.next() == FRAME[5:]
        return self.looks - before


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    ends = os.pipe()
    yield Source(monkeypatch, ends)
    for end in ends:
        os.close(end)


def test_the_second_of_two_frames_that_came_soon_is_looked_for(source: Source) -> None:
    assert [source.next(), source.next(), source.next()] == [0, 1, 1]


def test_it_is_looked_for_no_longer_than_was_said_and_then_slept_for(source: Source) -> None:
    source.next()
    source.there = False
    assert source.next() == SPIN // TICK
    assert source.next() == 0  # the one before was not there soon
    assert source.next() == SPIN // TICK  # the one before was


def test_it_is_switched_off(source: Source) -> None:
    assert [source.next(0), source.next(0), source.next(0)] == [0, 0, 0]
