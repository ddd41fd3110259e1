"""A driver's process: commands go in, reports come out."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from udist_plugin.testing.callers.errors import NotStarted, Unexpected
from udist_plugin.testing.callers.lines import to_line, to_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.testing.callers.pump import Pump

TAIL: Final = 4096
"""Bytes of a driver's standard error that are kept for a failure's text."""

LONGEST: Final = 1 << 20
"""Bytes of a report."""

LEAVING: Final = 5.0
"""Seconds for a driver to end once its input has."""


class Driver:
    """Starts ``command``. ``on_report`` gets the words of each report while somebody waits on ``pump``.

    Raises ``NotStarted``.
    """

    def __init__(self, command: Sequence[str], pump: Pump) -> None:
        self.on_report: Callable[[list[str]], None] = lambda _: None
        self._pump = pump
        self._process = _spawn(command)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._stdin = self._process.stdin.fileno()
        self._stdout = self._process.stdout.fileno()
        self._stderr = self._process.stderr.fileno()
        os.set_blocking(self._stdin, False)
        self._unread = b""
        self._tail: deque[bytes] = deque(maxlen=64)
        pump.watch(self._stdout, self._read_reports)
        pump.watch(self._stderr, self._read_stderr)

    def send(self, *words: str) -> None:
        """Sends a command. Raises ``Unexpected`` if the driver does not take it."""
        line = to_line(*words)
        try:
            sent = os.write(self._stdin, line)
        except BlockingIOError:
            sent = 0
        except BrokenPipeError:
            raise Unexpected(f"the driver reads no more commands{self.last_words()}") from None
        if sent < len(line):
            raise Unexpected("the driver does not read its commands: its standard input is full")

    def last_words(self) -> str:
        """The end of its standard error, as the end of a sentence."""
        text = b"".join(self._tail)[-TAIL:].decode(errors="backslashreplace").strip()
        return f"; its standard error ends with:\n{text}" if text else ""

    def end(self, timeout: float) -> None:
        """Ends its input, and kills it ``timeout`` seconds later."""
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        if self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            self._pump.forget(stream.fileno())
            stream.close()

    def _read_reports(self) -> None:
        data = os.read(self._stdout, 64 << 10)
        if not data:
            self._pump.forget(self._stdout)
            raise Unexpected(f"the driver has closed its standard output{self._how_it_ended()}")
        *lines, self._unread = (self._unread + data).split(b"\n")
        if len(self._unread) > LONGEST:
            raise Unexpected(f"the driver wrote a line of more than {LONGEST} bytes")
        for line in lines:
            try:
                self.on_report(to_words(line.removesuffix(b"\r")))
            except UnicodeDecodeError:
                raise Unexpected(f"the driver wrote a line that is not ASCII: {line[:200]!r}") from None

    def _read_stderr(self) -> None:
        data = os.read(self._stderr, 64 << 10)
        if data:
            self._tail.append(data)
        else:
            self._pump.forget(self._stderr)

    def _how_it_ended(self) -> str:
        try:
            how = f" and ended with status {self._process.wait(1)}"
        except subprocess.TimeoutExpired:
            how = ""
        os.set_blocking(self._stderr, False)
        with suppress(BlockingIOError):
            self._read_stderr()
        return how + self.last_words()


def _spawn(command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the user's command
            list(command),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
    except OSError as error:
        raise NotStarted(f"cannot start {command[0]}: {error.strerror}") from None
