"""The caller's end of the link: streams to open, and what the plugin's end means."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections import deque

from udist_plugin.client.forks import watch
from udist_plugin.client.slots import Slots
from udist_plugin.client.wake import WakePipe
from udist_plugin.errors import (
    DeadlineExceeded,
    HandshakeFailed,
    PluginDied,
    PluginForked,
    TransportError,
    VersionMismatch,
)
from udist_plugin.link.errors import reset_error
from udist_plugin.link.exchange import Exchange
from udist_plugin.link.fds import ready_before_end
from udist_plugin.link.file_content import FileContent
from udist_plugin.link.files import PeerFiles
from udist_plugin.link.input import Interrupted
from udist_plugin.link.link import Link
from udist_plugin.link.waiter import Waiter, least
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.version import naming_release
from udist_plugin.wire.caller import CallerConnection
from udist_plugin.wire.frames import GoAway, Log, Request, Reset, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Lock

    from udist_plugin.client.process import PluginProcess
    from udist_plugin.client.trace.recorder import Recorder
    from udist_plugin.errors import UdistError
    from udist_plugin.link.errors import Truncated
    from udist_plugin.wire.connection import ConnectionReceived, HeadReceived
    from udist_plugin.wire.frames import File
    from udist_plugin.wire.stream import Stream

PAYLOAD: Final = 1 << 20
"""Bytes of a data frame to the plugin: nothing small waits behind it there."""

MEMORY: Final = 32 << 20
"""Bytes that response windows may grow to beyond their first credit, all together."""

STALL: Final = 120.0
"""Seconds that the plugin may take nothing from a full pipe, or send no more of a frame: neither its reader
nor a frame that it has begun waits for anything else."""

LAST_WORDS: Final = 5.0
"""Seconds to wait for more from a plugin that reads no more: what it said before may be an answer."""

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that do the same when repeated."""

DYING: Final = 2.0
"""Seconds that a plugin whose output has ended has to end itself, before it is said to have hung."""


class ClientLink(Link):
    """The link to ``process``. ``log`` gets the plugin's log frames, ``recorder`` all of them, both ways.
    ``files`` are the plugin's open files; ``shares_files`` tells whether content may be in those, and in this
    process's."""

    connection: CallerConnection
    files: PeerFiles | None = None
    shares_files = False

    def __init__(
        self,
        process: PluginProcess,
        log: Callable[[str], None] | None,
        recorder: Recorder | None = None,
    ) -> None:
        self._process = process
        self._recorder = recorder
        self._log = log
        self._wake = WakePipe()
        self._owner = os.getpid()
        self.forked = False
        self._given_up: deque[tuple[Exchange, Reset]] = deque()
        self._resets: list[bytes] = []
        self._closing = False
        connection = CallerConnection(memory=MEMORY)
        super().__init__(
            connection, process.source, process.sink, payload=PAYLOAD, stall=STALL, peer=process.ended
        )
        self.output.recorder = self.intake.recorder = recorder
        self._slots = Slots(connection, self.role)
        watch(self)

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

    def open(
        self,
        request: Request,
        deadline: float | None,
        patience: float | None,
        slot: Waiter,
        *,
        end: bool,
    ) -> Exchange:
        """Opens a stream, waiting for a slot as ``slot``. Raises ``TransportError``; then the plugin has not
        seen it."""
        exchange = None
        try:
            while True:
                with self.lock:
                    self._slots.wait(slot)
                    self._check_going()
                until = Waiter(deadline, patience).begin()
                with self.output.turn(bulk=False, until=until):
                    with self.lock:
                        if not self.connection.can_open:
                            continue
                        self._check_going()
                        exchange, frame = self._begin(request, deadline, patience, end=end)
                    self.output.write(frame, until=until)
                return exchange
        except OSError as error:
            raise self._why_gone(error) from None
        except DeadlineExceeded as error:
            if exchange:
                self.cancel(exchange, error.code)
            raise

    def open_now(self, request: Request, deadline: float | None, patience: float | None) -> Exchange | None:
        """Opens a stream for a request without content, if that needs no wait; ``None`` otherwise, and when
        ``open`` would raise."""
        exchange = None
        try:
            with self.output.turn(bulk=False, until=0.0):
                with self.lock:
                    if self.error or self._closing or self.connection.exhausted or not self._slots.free:
                        return None
                    exchange, frame = self._begin(request, deadline, patience, end=True)
                self.output.write(frame, until=0.0)
        except DeadlineExceeded:  # another thread has the turn, or gets it to write the rest
            return exchange
        except OSError:
            return None
        return exchange

    def _begin(
        self, request: Request, deadline: float | None, patience: float | None, *, end: bool
    ) -> tuple[Exchange, bytes]:
        stream, frame = self.connection.open(request, end)
        exchange = ClientExchange(self, stream, request.method)
        exchange.deadline, exchange.patience = deadline, patience
        stream.owner = exchange
        return exchange, frame

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

    def cancel(self, exchange: Exchange, code: str = "CANCELLED", message: str = "") -> None:
        """Gives up on an exchange, and drops what was received and not read.

        Nobody waits for the frame to be written: the plugin may be what was given up. Nor for the lock: a
        finalizer may call this in a thread that holds it.
        """
        if self.forked:
            return
        self._given_up.append((exchange, Reset(code, message)))
        if self.lock.acquire(blocking=False):
            try:
                self._reset_given_up()
            finally:
                self.lock.release()
        else:
            self.output.flush_elsewhere()

    def cancel_all(self) -> None:
        """Gives up on every exchange that is open."""
        with self.lock:
            for stream in list(self.connection.streams.values()):
                if stream.owner:
                    self._reset(stream.owner, Reset("CANCELLED", "the caller cancelled all exchanges"))
                    stream.owner.drop_unread()

    def reset(self, exchange: Exchange, code: str, message: str) -> None:
        """Ends an exchange that has not ended; what was received stays to be read."""
        with self.lock:
            self._reset(exchange, Reset(code, message))

    def share_files(self) -> None:
        """From now on content may be in files of the plugin, and of this process."""
        with contextlib.suppress(OSError):  # it runs as another user
            self.files = PeerFiles(self._process.pid)
            self.shares_files = True

    def take(self, exchange: Exchange, file: File) -> FileContent | None:
        """The content of a response that is in ``file``; the plugin may close that now. ``None`` if it is
        unusable, and the exchange is given up."""
        assert self.files
        try:
            content = FileContent(self.files.open(file), file, exchange.deadline)
        except OSError as error:
            self.cancel(exchange, "FAILED_PRECONDITION", str(error))
            return None
        with self.lock:
            if not self.error and (frame := self.connection.reset(exchange.stream, "OK")):
                self._resets.append(frame)
        self.output.flush()
        return content

    def _reset_given_up(self) -> None:
        while self._given_up:
            exchange, reset = self._given_up.popleft()
            self._reset(exchange, reset)
            exchange.drop_unread()

    def _reset(self, exchange: Exchange, reset: Reset) -> None:
        exchange.fail(reset_error(reset))
        if not self.error and (frame := self.connection.reset(exchange.stream, reset.code, reset.message)):
            self._resets.append(frame)
            self.output.flush_elsewhere()
        elif not exchange.inbox.filling:
            return
        self._interrupt()

    def hasten(self, who: Waiter, deadline: float) -> None:
        """Moves the deadline of whoever waits nearer."""
        with self.lock:
            who.deadline = min(deadline, who.deadline or deadline)
            who.begin()
            self.wake(who)
        self._interrupt()

    def drain(self, deadline: float) -> None:
        """Opens no more streams, and waits for the open ones while somebody reads them."""
        with self.lock:
            self._closing = True
            self._slots.drain(lambda: self.connection.quiet and not self.intake.busy, deadline)

    def close(self, timeout: float) -> bool:
        """Ends every wait, and tells whether soon no thread reads or writes any more, within ``timeout``
        seconds each: then descriptors may be closed."""
        with self.lock:
            self.fail(PluginDied("the plugin was closed"))
        self._interrupt()
        self.stage.close()
        if self.files:
            self.files.close()
        settled = self.settled(timeout) and self.output.settled(timeout)
        if self._recorder:
            self._recorder.close()
        return settled

    @property
    def locks(self) -> Sequence[Lock]:
        """Those that a child must not inherit from another thread's hands."""
        recording = (self._recorder.lock,) if self._recorder else ()
        return self.lock, *self.output.locks, *self.stage.locks, *recording

    def disown(self) -> None:
        """In a child that was forked: closes what it has inherited, and lets nothing use it any more."""
        error = PluginForked(
            f"plugin {self._process.pid} belongs to process {self._owner}, which forked this one; "
            "start a Plugin in each process"
        )
        self.forked = True
        self.role.error = error
        self.output.fail(BrokenPipeError(errno.EPIPE, str(error)))
        self.stage.close()
        self._wake.close()
        if self.files:
            self.files.close()
        self._process.disown()
        if self._recorder:
            self._recorder.disown()

    def wait_readable(self, seconds: float | None) -> None:
        wakes, left = (self._wake.fd,), least(seconds, self.role.time_left)
        if not ready_before_end(self.source, self._process.ended, wakes=wakes, timeout=left):
            self._wake.clear()
            raise Interrupted

    def at_end(self) -> PluginDied:
        status = self._process.status(DYING)
        how = "has closed its output" if status is None else f"ended with {_named(status)}"
        return PluginDied(self._told(f"the plugin {how}"), status=status, stderr=self._process.stderr_tail())

    def at_cut(self, error: Truncated) -> TransportError:
        """A plugin that was killed may have been writing."""
        end = self.at_end()
        return end if end.status else self.on_broken(error)

    def on_broken(self, error: UdistError) -> TransportError:
        if isinstance(error, VersionMismatch):
            return HandshakeFailed(self._told(naming_release(str(error))))
        kind = HandshakeFailed if self.connection.peer is None else TransportError
        text = self.intake.stray()
        if not text:
            return kind(self._told(f"the plugin broke the protocol: {error}"), code="INTERNAL")
        shown = text.decode(errors="backslashreplace").rstrip()
        return kind(f"the plugin's standard output contained text: {shown}", code="INTERNAL")

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
        self._slots.on_frame()

    def owes_control(self) -> bool:
        return bool(self._given_up or self._resets) or super().owes_control()

    def take_control(self) -> bytes:
        with self.lock:
            self._reset_given_up()
            resets, self._resets = self._resets, []
        return super().take_control() + b"".join(resets)

    def _go_away(self, away: GoAway) -> None:
        if self.connection.peer is None:
            message = away.message or away.code
            if away.code == HandshakeFailed.code:  # of versions
                message = naming_release(message)
            self.fail(HandshakeFailed(message, code=away.code))
            return
        for stream in list(self.connection.streams.values()):
            if stream.id > away.last_stream_id and stream.owner:
                stream.owner.fail(reset_error(Reset("UNAVAILABLE", away.message, True)))

    def _check_going(self) -> None:
        if self._closing and not self.forked:
            raise PluginDied("the plugin was closed")
        if self.error:
            raise self.error
        if self.connection.exhausted:
            away = self.connection.going_away
            reason = away.message if away else "its stream ids are used up"
            raise PluginDied(f"the plugin takes no more requests: {reason}")

    def _told(self, message: str) -> str:
        tail = self._process.stderr_tail()
        return f"{message}; its standard error ends with:\n{tail}" if tail else message

    def _interrupt(self) -> None:
        """Makes the reader look up."""
        self._wake.ring()


class ClientExchange(Exchange):
    """A stream that knows whether its request may be repeated once the plugin has seen it (PROTOCOL.md,
    "Retries")."""

    link: ClientLink

    def __init__(self, link: ClientLink, stream: Stream, method: str) -> None:
        super().__init__(link, stream)
        self._idempotent = method in IDEMPOTENT

    @property
    def ended(self) -> bool:
        return self.link.forked or super().ended

    def read_into(self, target: memoryview) -> int:
        if self.link.forked:
            assert self.link.error
            raise self.link.error
        try:
            return super().read_into(target)
        except DeadlineExceeded as error:
            self.link.cancel(self, error.code)
            raise

    def fail(self, error: TransportError) -> None:
        if isinstance(error, PluginDied) and not self._idempotent:
            error = PluginDied(str(error), status=error.status, stderr=error.stderr, retryable=False)
        super().fail(error)


def _named(status: int) -> str:
    import signal

    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
