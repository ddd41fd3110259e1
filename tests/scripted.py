"""A plugin that says what a test wants."""

from __future__ import annotations

import sys

PROGRAM = """
import os, sys
for frames in sys.argv[1:]:
    prefix = os.read(0, 5)
    os.read(0, int.from_bytes(prefix[1:], "big"))
    os.write(1, bytes.fromhex(frames))
while os.read(0, 1 << 20):
    pass
"""


def scripted(*answers: bytes) -> list[str]:
    """The command of a plugin that reads a frame before each of its ``answers``, and then all that comes."""
    return [sys.executable, "-c", PROGRAM, *(answer.hex() for answer in answers)]
