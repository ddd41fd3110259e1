"""The plugin's log: lines on standard error, written by one thread, which nobody waits for.

A caller that does not read standard error stalls that thread alone: the queue is bounded, drops when it is
full, and says how many lines it dropped once it gets through again.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque

from udist_plugin.link.fds import write_all
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.server.log_formats import Caller, Format

LEVELS: Final = ("debug", "info", "warn", "error")
QUEUED: Final = 1000
"""Lines kept for a reader that is slow."""

LINE: Final = 4096
"""Characters of a message that are written; pipes take as much in one piece."""

GATHERED: Final = 64
"""Lines written at once."""
GATHERING: Final = 0.05
"""Seconds that lines of requests are gathered for: to wake the thread for each would cost the request more
than the line does."""

HANDS_ON: Final = frozenset({__name__, "udist_plugin.mail"})
"""Modules that are not where a record is from."""


class Log:
    """Writes records at a level and above; usable as ``wsgi.errors``.

    Whoever records only queues: the thread that writes also gives a record its form. ``on_unread`` is given
    what nobody reads any more.
    """

    on_unread: Callable[[bytes], object] | None = None

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd
        self._least = LEVELS.index("info")
        self._form: tuple[str, Mapping[str, object], bool] = ("text", {}, False)
        self._format: Format | None = None
        self._reports_caller = False
        self._queue: deque[tuple[float, str, str, Caller] | str] = deque()
        self._dropped = 0
        self._lock = threading.Lock()
        self._ready = threading.Semaphore(0)
        self._hurry = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._started = False

    def configure(
        self, level: str, formatter: str, fields: Mapping[str, object], *, report_caller: bool = False
    ) -> None:
        """Sets what distribution's ``log`` section does: the level, the form, fields of every record, and
        whether each names the source line that it is from."""
        self._least = LEVELS.index(level)
        self._form, self._format = (formatter, fields, report_caller), None
        self._reports_caller = report_caller

    def record(self, level: str, message: str) -> None:
        """Queues one record."""
        if LEVELS.index(level) >= self._least:
            caller = _caller() if self._reports_caller else None
            self._put((time.time(), level, message[:LINE], caller), soon=True)

    def line(self, text: str) -> None:
        """Queues a line of a form of its own: the access log's."""
        self._put(f"{text[:LINE]}\n", soon=False)

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

    def drain(self, timeout: float) -> bool:
        """Waits, at most ``timeout`` seconds, until everything queued has been written; whether it was."""
        self._hurry.set()
        return self._idle.wait(timeout)

    def _put(self, line: tuple[float, str, str, Caller] | str, *, soon: bool) -> None:
        with self._lock:
            if len(self._queue) >= QUEUED:
                self._dropped += 1
                return
            if self._dropped:
                self._queue.append(
                    (time.time(), "warn", f"{self._dropped} lines of the log were dropped", None)
                )
                self._dropped = 0
            self._queue.append(line)
            if (soon or len(self._queue) > QUEUED // 2) and not self._hurry.is_set():
                self._hurry.set()
            if not self._idle.is_set():
                return
            if not self._started:
                try:
                    threading.Thread(target=self._run, name="udist-log", daemon=True).start()
                except RuntimeError:  # the system gives no more: the next line tries again
                    return
                self._started = True
            self._idle.clear()
        self._ready.release()

    def _run(self) -> None:
        while True:
            self._ready.acquire()
            self._hurry.wait(GATHERING)
            self._hurry.clear()
            while lines := self._next():
                text = "".join(line if isinstance(line, str) else self._formed(*line) for line in lines)
                self._write(text.encode(errors="backslashreplace"))

    def _write(self, text: bytes) -> None:
        try:
            write_all(self._fd, [text])
        except OSError:
            if self.on_unread:
                self.on_unread(text)

    def _next(self) -> list[tuple[float, str, str, Caller] | str]:
        with self._lock:
            if not self._queue:
                self._idle.set()
            return [self._queue.popleft() for _ in range(min(len(self._queue), GATHERED))]

    def _formed(self, now: float, level: str, message: str, caller: Caller) -> str:
        try:
            if self._format is None:
                from udist_plugin.server.log_formats import formatter

                self._format = formatter(*self._form)
            return self._format(now, level, message, caller)
        except OSError:  # no descriptor is left to import the form by
            return f"{level}: {message}\n"


def _caller() -> Caller:
    """Who records: the first function outside of what hands records on."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__") in HANDS_ON and frame.f_back is not None:
        frame = frame.f_back
    code = frame.f_code
    return f"{frame.f_globals.get('__name__', '')}.{code.co_qualname}", f"{code.co_filename}:{frame.f_lineno}"
