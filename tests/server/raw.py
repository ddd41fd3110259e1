"""The plugin executable as a caller without a library sees it: bytes in, frames and standard error out."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from udist_plugin.wire.library import decode_with_library

if TYPE_CHECKING:
    from udist_plugin.wire.frames import Frame

PLUGIN = [sys.executable, "-m", "udist_plugin"]


def raw(data: bytes, *arguments: str) -> tuple[int, list[Frame], str]:
    """What the plugin executable answers to bytes: exit status, frames and standard error."""
    result = subprocess.run([*PLUGIN, *arguments], input=data, capture_output=True, timeout=30, check=False)
    return result.returncode, frames_in(result.stdout), result.stderr.decode()


def frames_in(data: bytes) -> list[Frame]:
    frames = []
    while data:
        length = int.from_bytes(data[1:5], "big")
        frames.append(decode_with_library(data[5 : 5 + length])[0])
        data = data[5 + length :]
    return frames
