"""The caller's end of the link: streams to open, and what the plugin's end means."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import weakref
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import DeadlineExceeded, HandshakeFailed, PluginDied, TransportError
from udist_plugin.link.errors import reset_error
from udist_plugin.link.exchange import Exchange
from udist_plugin.link.fds import wait_for
from udist_plugin.link.input import Interrupted
from udist_plugin.link.link import Link
from udist_plugin.link.waiter import Waiter
from udist_plugin.wire.caller import CallerConnection
from udist_plugin.wire.frames import GoAway, Log, Request, Reset, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.client.process import PluginProcess
    from udist_plugin.errors import UdistError
    from udist_plugin.wire.connection import ConnectionReceived, HeadReceived
    from udist_plugin.wire.stream import Stream

PAYLOAD: Final = 1 << 20
"""Bytes of a data frame to the plugin: nothing small waits behind it there."""

MEMORY: Final = 32 << 20
"""Bytes that response windows may grow to beyond their first credit, all together."""

STALL: Final = 120.0
"""Seconds that the plugin may take nothing from a full pipe: its reader waits for nothing else."""

LAST_WORDS: Final = 5.0
"""Seconds to wait for more from a plugin that reads no more: what it said before may be an answer."""

UNREAD: Final = 0.5
"""Seconds without a frame or a read after which closing waits no more for responses."""

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that do the same when repeated."""

CLOSING: Final = 2.0
"""Seconds to wait for a thread that still reads, once everything has ended."""

DYING: Final = 2.0
"""Seconds that a plugin whose output has ended has to end itself, before it is said to have hung."""


class ClientLink(Link):
    """The link to ``process``. ``log`` gets the plugin's log frames."""

    connection: CallerConnection

    def __init__(self, process: PluginProcess, log: Callable[[str], None] | None) -> None:
        self._process = process
        self._log = log
        self._wake_read, self._wake_write = os.pipe()
        weakref.finalize(self, _close, self._wake_read, self._wake_write)
        if sys.platform != "win32":
            os.set_blocking(self._wake_write, False)
        self._for_slots: list[Waiter] = []
        self._resets: list[bytes] = []
        self._frames_taken = 0
        self._closing = False
        connection = CallerConnection(memory=MEMORY)
        super().__init__(connection, process.source, process.sink, payload=PAYLOAD, stall=STALL)

    def shake_hands(self, settings: Settings, timeout: float) -> Settings:
        """Sends settings and returns the plugin's. Raises ``HandshakeFailed``, ``PluginDied``."""
        deadline = time.monotonic() + timeout
        with contextlib.suppress(OSError), self.output.turn(bulk=False):  # what it wrote before says why
            self.output.write(self.connection.send_settings(settings))
        try:
            with self.lock:
                self.wait(Waiter(deadline), lambda: self.connection.peer is not None)
        except DeadlineExceeded:
            raise HandshakeFailed(
                f"{self._process.command[0]!r} did not answer the handshake within {timeout:g} s"
            ) from None
        assert self.connection.peer
        return self.connection.peer

    def open(self, request: Request, deadline: float | None, *, end: bool) -> Exchange:
        """Opens a stream, waiting for a slot. Raises ``TransportError``; then nothing was sent."""
        try:
            while True:
                self._wait_for_slot(deadline)
                with self.output.turn(bulk=False, until=deadline):
                    with self.lock:
                        if not self.connection.can_open:
                            continue
                        self._check_going()
                        stream, frame = self.connection.open(request, end)
                        exchange = ClientExchange(self, stream, request.method)
                        stream.owner = exchange
                        exchange.deadline = deadline
                    self.output.write(frame)
                return exchange
        except OSError as error:
            raise self._why_gone(error) from None

    def _why_gone(self, error: OSError) -> TransportError:
        """The plugin reads no more: the end of its output, which must come now, tells why."""
        try:
            with self.lock:
                self.wait(Waiter(time.monotonic() + LAST_WORDS), lambda: False)
        except DeadlineExceeded:
            return PluginDied(self._told(f"the plugin reads no more: {error.strerror}"))
        except TransportError as end:
            return end
        raise AssertionError("unreachable")

    def _wait_for_slot(self, deadline: float | None) -> None:
        waiter = Waiter(deadline)
        with self.lock:
            self._for_slots.append(waiter)
            try:
                self.wait(waiter, lambda: self.connection.can_open or self.connection.exhausted)
            finally:
                self._for_slots.remove(waiter)
            self._check_going()

    def cancel(self, exchange: Exchange, code: str = "CANCELLED", message: str = "") -> None:
        """Gives up on an exchange, and drops what was received and not read."""
        self.reset(exchange, code, message)
        exchange.abandon()

    def reset(self, exchange: Exchange, code: str, message: str) -> None:
        """Ends an exchange that has not ended; what was received stays to be read. Nobody waits for the
        frame to be written: the plugin may be what was given up."""
        with self.lock:
            exchange.fail(reset_error(Reset(code, message)))
            if not self.error and (frame := self.connection.reset(exchange.stream, code, message)):
                self._resets.append(frame)
                self.output.flush_elsewhere()
        self._interrupt()

    def hasten(self, exchange: Exchange, deadline: float) -> None:
        """Moves an exchange's deadline nearer."""
        with self.lock:
            exchange.deadline = min(deadline, exchange.deadline or deadline)
            exchange.begin()
            self.wake(exchange)
        self._interrupt()

    def drain(self, deadline: float) -> None:
        """Opens no more streams, and waits for the open ones as long as somebody reads them, and for what the
        plugin still writes on those given up: it would hang in a full pipe."""
        with self.lock:
            self._closing = True
            while not self.connection.quiet and time.monotonic() < deadline:
                before = self._frames_taken, self.connection.consumed
                waiter = Waiter(min(deadline, time.monotonic() + UNREAD))
                self._for_slots.append(waiter)
                try:
                    self.wait(waiter, lambda: self.connection.quiet)
                except DeadlineExceeded:
                    if before == (self._frames_taken, self.connection.consumed):
                        return
                except TransportError:
                    return
                finally:
                    self._for_slots.remove(waiter)

    def close(self) -> bool:
        """Ends every wait, and tells whether no thread reads any more: then descriptors may be closed."""
        with self.lock:
            self.fail(PluginDied("the plugin was closed"))
        self._interrupt()
        self.stage.close()
        return self.settled(CLOSING)

    def wait_readable(self) -> None:
        if not wait_for(self.source, wake=self._wake_read, timeout=self.role.time_left):
            if wait_for(self._wake_read, timeout=0):
                os.read(self._wake_read, 4096)
            raise Interrupted

    def at_end(self) -> TransportError:
        status = self._process.status(DYING)
        how = "has closed its output" if status is None else f"ended with {_named(status)}"
        return PluginDied(self._told(f"the plugin {how}"), status=status, stderr=self._process.stderr_tail())

    def on_broken(self, error: UdistError) -> TransportError:
        kind = HandshakeFailed if self.connection.peer is None else TransportError
        text = self.intake.beginning()
        if text[:1] in (b"", b"\0"):
            return kind(self._told(f"the plugin broke the protocol: {error}"), code="INTERNAL")
        shown = text.decode(errors="backslashreplace").rstrip()
        return kind(f"the plugin's standard output carried text: {shown}", code="INTERNAL")

    def on_head(self, event: HeadReceived) -> None:
        exchange = event.stream.owner
        exchange.head = event.head
        self.wake(exchange)

    def on_connection(self, event: ConnectionReceived) -> None:
        body = event.body
        if isinstance(body, GoAway):
            self._go_away(body)
        elif isinstance(body, Log) and self._log:
            self._log(body.message)

    def on_frame(self) -> None:
        self._frames_taken += 1
        if self._for_slots and (self.connection.can_open or self.connection.exhausted):
            for waiter in self._for_slots:
                self.wake(waiter)

    def owes_control(self) -> bool:
        return bool(self._resets) or super().owes_control()

    def take_control(self) -> bytes:
        frames = super().take_control()
        with self.lock:
            resets, self._resets = self._resets, []
        return frames + b"".join(resets)

    def _go_away(self, away: GoAway) -> None:
        if self.connection.peer is None:
            self.fail(HandshakeFailed(away.message or away.code, code=away.code))
            return
        for stream in list(self.connection.streams.values()):
            if stream.id > away.last_stream_id and stream.owner:
                stream.owner.fail(reset_error(Reset("UNAVAILABLE", away.message, True)))

    def _check_going(self) -> None:
        if self.error:
            raise self.error
        if self._closing:
            raise PluginDied("the plugin was closed")
        if self.connection.exhausted:
            away = self.connection.going_away
            reason = away.message if away else "its stream ids are used up"
            raise PluginDied(f"the plugin takes no more requests: {reason}")

    def _told(self, message: str) -> str:
        tail = self._process.stderr_tail()
        return f"{message}; its standard error ends with:\n{tail}" if tail else message

    def _interrupt(self) -> None:
        """Makes the reader look up, where one that waits can be told (not on Windows)."""
        if sys.platform == "win32":
            return
        with contextlib.suppress(BlockingIOError):  # full of the same message
            os.write(self._wake_write, b"\0")


class ClientExchange(Exchange):
    """A stream that knows whether its request may be repeated once the plugin has seen it (PROTOCOL.md,
    "Retries")."""

    def __init__(self, link: ClientLink, stream: Stream, method: str) -> None:
        super().__init__(link, stream)
        self._idempotent = method in IDEMPOTENT

    def fail(self, error: TransportError) -> None:
        if isinstance(error, PluginDied) and not self._idempotent:
            error = PluginDied(str(error), status=error.status, stderr=error.stderr, retryable=False)
        super().fail(error)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _named(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
