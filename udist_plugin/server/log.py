"""The plugin's log: lines on standard error, written by one thread, which nobody waits for.

A caller that does not read standard error stalls that thread alone: the queue is bounded, drops when it is
full, and says how many lines it dropped once it gets through again.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Final

LEVELS: Final = ("debug", "info", "warn", "error")
QUEUED: Final = 1000
"""Lines kept for a reader that is slow."""

LINE: Final = 4096
"""Characters of a line that are written; pipes take as much in one piece."""


class Log:
    """Writes records at ``level`` and above; usable as ``wsgi.errors``."""

    def __init__(self, fd: int = 2, level: str = "info") -> None:
        self._fd = fd
        self.level = level
        self._queue: deque[str] = deque()
        self._dropped = 0
        self._lock = threading.Lock()
        self._ready = threading.Semaphore(0)
        self._idle = threading.Event()
        self._idle.set()
        self._started = False

    def record(self, level: str, message: str) -> None:
        """Queues one record, in logfmt as distribution writes it."""
        if LEVELS.index(level) < LEVELS.index(self.level):
            return
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        text = message.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n")
        self._put(f'time="{now}" level={level} msg="{text[:LINE]}"\n')

    def write(self, text: str) -> int:
        """``wsgi.errors``: each line of ``text`` is a record of an error."""
        for line in text.splitlines():
            if line.strip():
                self.record("error", line)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """``wsgi.errors`` has it; nothing waits for the log."""

    def drain(self, timeout: float) -> None:
        """Waits, at most ``timeout`` seconds, until everything queued has been written."""
        self._idle.wait(timeout)

    def _put(self, line: str) -> None:
        with self._lock:
            if len(self._queue) >= QUEUED:
                self._dropped += 1
                return
            if self._dropped:
                self._queue.append(f'level=warn msg="{self._dropped} lines of the log were dropped"\n')
                self._dropped = 0
            self._queue.append(line)
            self._idle.clear()
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="udist-log", daemon=True).start()
        self._ready.release()

    def _run(self) -> None:
        while True:
            self._ready.acquire()
            while line := self._next():
                try:
                    os.write(self._fd, line.encode(errors="backslashreplace"))
                except OSError:
                    return  # nobody can be told

    def _next(self) -> str | None:
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            self._idle.set()
            return None
