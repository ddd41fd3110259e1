"""The child process: found, spawned with pipes, its standard error drained, and ended with bounded waits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import PluginNotFound
from udist_plugin.link.fds import grow_pipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TAIL_LINES: Final = 20
"""Lines of standard error kept for an error's message."""

LINE_MAX: Final = 4096


def default_command() -> list[str]:
    """This interpreter's own plugin, from where it is installed: ``-P`` keeps the modules of whatever folder
    the caller stands in from being run in its place."""
    return [sys.executable, "-P", "-m", "udist_plugin"]


class PluginProcess:
    """A spawned plugin. ``source`` and ``sink`` are this side's non-blocking descriptors.

    ``log`` gets each line of standard error, from a thread of its own. Raises ``PluginNotFound``.
    """

    def __init__(self, command: Sequence[str] | None, log: Callable[[str], None] | None) -> None:
        self.command = list(command) if command else default_command()
        options: dict[str, object] = {}
        if not command and sys.platform != "win32":
            options["process_group"] = 0  # Ctrl-C reaches the caller first; ssh may still ask on a terminal
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - the caller's command
                self.command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                **options,  # type: ignore[call-overload]
            )
        except OSError as error:
            reason = f"cannot start {self.command[0]!r}: {error.strerror}"
            if isinstance(error, FileNotFoundError | PermissionError):
                reason += "; to install it: pip install udist-plugin"
            raise PluginNotFound(reason) from None
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self.sink = self._process.stdin.fileno()
        self.source = self._process.stdout.fileno()
        if sys.platform != "win32":
            os.set_blocking(self.sink, False)
            os.set_blocking(self.source, False)
        grow_pipe(self.sink)
        self._log = log
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._drain = threading.Thread(target=self._read_stderr, name="udist-stderr", daemon=True)
        self._drain.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stderr_tail(self) -> str:
        """The last lines of standard error."""
        return "\n".join(self._tail)

    def status(self, timeout: float) -> int | None:
        """The exit status once the process has ended, negative for a signal; ``None`` if it has not."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._drain.join(timeout)
        return status

    def end(self, grace: float, *, polite: bool) -> int:
        """Waits ``grace`` seconds for it to end by itself, then terminates, then kills. The exit status.

        It ends by itself at the end of its input, which is closed if ``polite``: no thread may write then.
        """
        assert self._process.stdin
        if polite:
            self._process.stdin.close()
        status = self.status(grace) if polite else None
        if status is None:
            self._process.terminate()
            status = self.status(min(grace, 2.0))
        if status is None:
            self._process.kill()
            status = self._process.wait()
        self._drain.join(1.0)  # a grandchild may hold standard error open
        return status

    def close(self) -> None:
        """Closes this side's descriptors, once no thread uses them."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream
            stream.close()

    def _read_stderr(self) -> None:
        assert self._process.stderr
        with self._process.stderr as stream:
            rest = b""
            while data := stream.read(64 << 10):
                *lines, rest = (rest + data).split(b"\n")
                self._take(lines)
                rest = rest[-LINE_MAX:]
            self._take([rest] if rest else [])

    def _take(self, lines: list[bytes]) -> None:
        for line in lines:
            text = line[:LINE_MAX].decode(errors="replace").rstrip("\r")
            self._tail.append(text)
            if self._log:
                self._tell(text)

    def _tell(self, text: str) -> None:
        assert self._log
        try:
            self._log(text)
        except Exception:  # whatever it is, the plugin must not wait for its standard error
            import logging

            logging.getLogger("udist_plugin").exception("the log given to Plugin failed")
