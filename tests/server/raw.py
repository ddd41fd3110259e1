"""The plugin executable as a caller without a library sees it: bytes in, frames and standard error out."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING

from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame
from udist_plugin.wire.library import decode_with_library

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from udist_plugin.wire.frames import Body

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


class Caller:
    """A plugin that a test speaks to frame by frame."""

    def __init__(self, command: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)

    def send(self, body: Body, stream_id: int = 0, *, last: bool = False) -> None:
        assert self.process.stdin
        self.process.stdin.write(encode(Frame(stream_id, body, last)))

    def receive(self, timeout: float = 60) -> Frame:
        """The next frame, which is no data."""
        frame, payload = decode_with_library(self._next(timeout))
        assert payload is None
        return frame

    def content(self) -> bytes:
        """The payloads of data frames, up to the end of a stream."""
        content = b""
        while True:
            frame, payload = decode_with_library(self._next(60))
            assert payload is not None
            content += payload
            if frame.end_stream:
                return content

    def close(self) -> int:
        """Closes standard input; the exit status."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(60)

    def _next(self, timeout: float) -> bytes:
        length = int.from_bytes(self._read(5, timeout)[1:], "big")
        return self._read(length, timeout)

    def _read(self, size: int, timeout: float) -> bytes:
        assert self.process.stdout
        descriptor, data = self.process.stdout.fileno(), b""
        while len(data) < size:
            assert select.select([descriptor], [], [], timeout)[0], f"nothing came for {timeout:g} s"
            piece = os.read(descriptor, size - len(data))
            assert piece, "the plugin closed its output"
            data += piece
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        with self.process:
            pass
