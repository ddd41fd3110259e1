"""The process that the client started, and its pipes, which the runner reads and writes itself."""

from __future__ import annotations

import os
import signal
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from udist_plugin.link.fds import wait_for

if TYPE_CHECKING:
    from udist_plugin.testing.callers.pump import Pump

READ: Final = 1 << 20

PIECE: Final = 4096
"""Bytes that a pipe which is ready takes without waiting (PIPE_BUF on Linux; POSIX promises 512)."""


class Process:
    """What ``stub`` has handed over on ``connection``.

    ``started`` once it has; ``input`` is what has come and nobody took; ``input_ended``, ``reader_gone``,
    ``terminated`` (TERM came) and ``gone`` (the process has ended) say what happened. ``obeys``: it ends when
    its input does, or when TERM comes.
    """

    def __init__(self, pump: Pump, connection: socket.socket) -> None:
        self.started = self.input_ended = self.reader_gone = self.terminated = self.gone = False
        self.obeys = True
        self.input = bytearray()
        self._pump = pump
        self._connection = connection
        self._told = b""
        self._ending = False
        self._streams: list[int] = []
        self._unwritten = bytearray()
        pump.watch(connection.fileno(), self._take_streams)

    @property
    def told_to_end(self) -> bool:
        """Whether the client wants it to end, or it has ended anyway."""
        return self._ending or self.input_ended or self.terminated or self.gone

    @property
    def unwritten(self) -> bool:
        """Whether the client has not taken all that was written."""
        return bool(self._unwritten)

    def write(self, data: bytes) -> None:
        """Writes to standard output: now, or as there is room."""
        if self.reader_gone or len(self._streams) < 2 or self._streams[1] < 0:
            return
        if not self._unwritten:
            self._pump.watch(self._streams[1], self._write_on, writing=True)
        self._unwritten += data
        self._write_on()

    def write_error(self, data: bytes, timeout: float) -> bool:
        """Writes to standard error. Whether somebody reads it within ``timeout`` seconds a piece."""
        stderr = self._streams[2]
        while data:
            if not wait_for(stderr, writable=True, timeout=timeout):
                return False
            with suppress(BrokenPipeError, ConnectionResetError):
                data = data[os.write(stderr, data[:PIECE]) :]
                continue
            return False
        return True

    def stop_reading(self) -> None:
        """Reads nothing more, and leaves standard input open."""
        self._pump.forget(self._streams[0])

    def close_input(self) -> None:
        """Closes standard input: the client's next write fails."""
        self._close_stream(0)

    def close_output(self) -> None:
        """Closes standard output; what was not written yet is lost."""
        self._unwritten.clear()
        self._close_stream(1)

    def close_streams(self) -> None:
        """Closes all of them."""
        self.close_output()
        self._close_stream(0)
        self._close_stream(2)

    @property
    def pid(self) -> int:
        """Its process id."""
        credentials = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return struct.unpack("3i", credentials)[0]  # type: ignore[no-any-return]

    def hold(self, descriptor: int) -> int:
        """Has it hold a descriptor open, too, and returns the number that this has there."""
        before = self._told.count(b"\n")
        socket.send_fds(self._connection, [b"hold"], [descriptor])
        self._pump.until(lambda: self._told.count(b"\n") > before, "the stub to hold a descriptor")
        return int(self._told.split()[-1])

    def end(self, status: int = 0) -> None:
        """Closes its streams, and has the process end with ``status``."""
        if not self._ending:
            self._ending = True
            self.close_streams()
            self._tell(f"exit {status}")

    def leave(self, status: int) -> None:
        """Has the process end with ``status``, and keeps its streams open."""
        self._ending = True
        self._tell(f"exit {status}")

    def kill(self) -> None:
        """As if somebody had killed it."""
        self._ending = True
        self.close_streams()
        self._tell(f"kill {int(signal.SIGKILL)}")

    def close(self) -> None:
        """The case is over: nothing is left of it."""
        if self._connection.fileno() >= 0:
            self.end(1)
            self.close_streams()  # those that ``leave`` has kept open
            self._pump.forget(self._connection.fileno())
            self._connection.close()

    def _tell(self, word: str) -> None:
        with suppress(OSError):
            self._connection.send(word.encode())

    def _take_streams(self) -> None:
        _, self._streams, _, _ = socket.recv_fds(self._connection, 1, 3)
        self._pump.forget(self._connection.fileno())
        if len(self._streams) < 3:
            self.gone = True
            return
        for stream in self._streams[:2]:
            os.set_blocking(stream, False)
        self._pump.watch(self._connection.fileno(), self._listen)
        self._pump.watch(self._streams[0], self._read)

    def _listen(self) -> None:
        try:
            data = self._connection.recv(64)
        except ConnectionResetError:
            data = b""
        self._told += data
        self.started = self.started or b"started" in self._told
        if b"term" in data:
            self.terminated = True
            if self.obeys:
                self.end(0)
        if not data:
            self.gone = True
            self._pump.forget(self._connection.fileno())

    def _read(self) -> None:
        try:
            data = os.read(self._streams[0], READ)
        except ConnectionResetError:
            data = b""
        self.input += data
        if not data:
            self.input_ended = True
            self._pump.forget(self._streams[0])
            if self.obeys:
                self.end(0)

    def _write_on(self) -> None:
        try:
            while self._unwritten:
                del self._unwritten[: os.write(self._streams[1], self._unwritten[:READ])]
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):
            self.reader_gone = True
            self._unwritten.clear()
        self._pump.forget(self._streams[1])

    def _close_stream(self, number: int) -> None:
        if len(self._streams) == 3 and (fd := self._streams[number]) >= 0:
            self._pump.forget(fd)
            os.close(fd)
            self._streams[number] = -1
