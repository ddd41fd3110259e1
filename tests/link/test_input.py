"""Frames off a descriptor, however they stand in what was read at once."""

from __future__ import annotations

import os

from udist_plugin.link.input import AHEAD, FrameInput
from udist_plugin.wire.constants import PREFIX_SIZE
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, GoAway
from udist_plugin.wire.framing import frame_length


def never(seconds: float | None) -> None:
    raise AssertionError("a pipe that holds the frame is not waited for")


def frame(length: int) -> bytes:
    return encode(Frame(0, body=GoAway(1, "OK", "x" * length)))


def test_frames_that_come_together_are_told_apart() -> None:
    filling = frame(AHEAD - len(frame(AHEAD // 2)) + AHEAD // 2)
    assert len(filling) == AHEAD
    frames = [filling, *(frame(length) for length in range(1, AHEAD, 7)), filling]
    source, sink = os.pipe()
    try:
        os.write(sink, b"".join(frames))
        os.close(sink)
        taken = FrameInput(source, never, None)
        for sent in frames:
            assert frame_length(sent) == len(sent) - PREFIX_SIZE
            assert taken.next() == sent[PREFIX_SIZE:]
        assert taken.next() is None
    finally:
        os.close(source)
