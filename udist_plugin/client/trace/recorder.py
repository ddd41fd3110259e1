"""The file of a trace: a line for each frame, written as the frame goes."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.client.trace.notation import as_json
from udist_plugin.wire.constants import PREFIX_SIZE
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.frames import Frame
from udist_plugin.wire.framing import DataHead, data_head, frame_length

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from udist_plugin.link.fds import Buffer

FORMAT: Final = 1
LIMIT: Final = 64 << 20
"""Bytes of one trace, some 400,000 frames: whoever forgets that it is on must not lose the disk to it."""
FILES_MAX: Final = 1000
"""Traces of one name. Each plugin writes its own, and none writes over another."""


class Recorder:
    """Writes the trace of one link to the descriptor ``file``. Safe for any number of threads.

    ``program`` is what was spawned, without its arguments. It never fails what it records: a disk that is
    full ends the trace with a warning.
    """

    def __init__(self, file: int, name: str, implementation: str, program: str, limit: int = LIMIT) -> None:
        self.lock = threading.Lock()
        self._file = file
        self._name = name
        self._left = limit
        self._begun = time.monotonic()
        self._payload = 0
        self._problem = ""
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        self._write(
            {
                "trace": FORMAT,
                "implementation": implementation,
                "program": os.path.basename(program),
                "time": now,
            }
        )
        self._tell()

    @classmethod
    def open(cls, path: str, implementation: str, program: str) -> Self | None:
        """A recorder to the new file ``path``, or if there is one, to ``path.2`` and so on; ``None``, and a
        warning, if no such file can be made."""
        try:
            file, name = _create(path)
        except (OSError, ValueError) as error:  # the latter for a null character
            _warn(f"cannot write a trace to {path}: {getattr(error, 'strerror', error)}")
            return None
        if name != path:
            _warn(f"{path} exists; the trace goes to {name}")
        return cls(file, name, implementation, program)

    def sent(self, buffers: Sequence[Buffer]) -> None:
        """What the caller writes next: frames, the last one's payload perhaps without its end."""
        for buffer in buffers:
            start = self._skip(len(buffer))
            while start < len(buffer):
                if head := data_head(buffer, start, len(buffer)):
                    self._record_data("caller", head)
                    self._payload = head.length
                    start += head.size
                    start += self._skip(len(buffer) - start)
                else:
                    end = start + PREFIX_SIZE + frame_length(buffer, start)
                    self._record_whole("caller", *decode(bytes(buffer[start + PREFIX_SIZE : end])))
                    start = end

    def passed(self, length: int) -> None:
        """So many bytes of a payload go without passing through this process."""
        self._skip(length)

    def received(self, message: DataHead | tuple[Frame, bytes | None]) -> None:
        """A frame has come from the plugin, or the head of one."""
        if isinstance(message, DataHead):
            self._record_data("plugin", message)
        else:
            self._record_whole("plugin", *message)

    def close(self) -> None:
        """Ends the trace. Twice is once."""
        with self.lock:
            self._end("closed")
        self._tell()

    def disown(self) -> None:
        """In a child that was forked: leaves the file to its parent."""
        self._close()

    def _skip(self, length: int) -> int:
        """How much of ``length`` bytes belongs to the payload that is under way."""
        skipped = min(self._payload, length)
        self._payload -= skipped
        return skipped

    def _record_whole(self, side: str, frame: Frame, payload: bytes | None) -> None:
        self._record(side, as_json(frame, None if payload is None else len(payload)))

    def _record_data(self, side: str, head: DataHead) -> None:
        self._record(side, as_json(Frame(head.stream_id, None, head.end_stream), head.length))

    def _record(self, side: str, frame: dict[str, Any]) -> None:
        with self.lock:
            if self._left < 0:
                return
            self._write({"t": self._elapsed(), "from": side, "frame": frame})
            if self._left < 0:
                self._end("limit")
        self._tell()

    def _end(self, why: str) -> None:
        if self._file >= 0:
            self._write({"t": self._elapsed(), "end": why})
            self._close()

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._begun, 6)

    def _write(self, line: dict[str, Any]) -> None:
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            if os.write(self._file, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._close()
            self._problem = f"the trace {self._name} ends early: {error.strerror}"
        self._left -= len(data)

    def _tell(self) -> None:
        """Warns once, and without the lock: who listens may use the plugin."""
        if self._problem:
            problem, self._problem = self._problem, ""
            _warn(problem)

    def _close(self) -> None:
        file, self._file, self._left = self._file, -1, -1
        with contextlib.suppress(OSError):
            os.close(file)


def _create(path: str) -> tuple[int, str]:
    for number in range(1, FILES_MAX + 1):
        name = path if number == 1 else f"{path}.{number}"
        try:
            return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), name
        except FileExistsError:
            continue
    raise FileExistsError(errno.EEXIST, f"it exists, and so does each up to {path}.{FILES_MAX}")


def _warn(message: str) -> None:
    logging.getLogger("udist_plugin").warning("%s", message)
