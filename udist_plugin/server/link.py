"""The plugin's end of the link: requests to accept, and what ends them."""

from __future__ import annotations

from collections import deque

from udist_plugin.errors import Cancelled, TransportError, VersionMismatch
from udist_plugin.link.exchange import Exchange
from udist_plugin.link.input import Interrupted
from udist_plugin.link.link import Link
from udist_plugin.link.role import IDLE
from udist_plugin.link.waiter import least
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.version import naming_release
from udist_plugin.wire.constants import INITIAL_STREAMS
from udist_plugin.wire.frames import GoAway, Request, Settings
from udist_plugin.wire.plugin import PluginConnection
from udist_plugin.wire.stream import Half

if TYPE_CHECKING:
    from udist_plugin.errors import UdistError
    from udist_plugin.server.files import SentFile
    from udist_plugin.wire.connection import ConnectionReceived, HeadReceived
    from udist_plugin.wire.frames import Response
    from udist_plugin.wire.stream import Stream

PAYLOAD = 256 << 10
"""Bytes of a data frame to the caller: smaller halves bulk, larger doubles what small replies wait."""

MEMORY = 8 << 20
"""Bytes that request windows may grow to beyond their first credit, all together."""


class EndOfRequests(TransportError):
    """The caller has closed its end: no more requests, and those that have not come whole are given up."""

    code = "CANCELLED"


HOLD: Final = 10.0
"""Seconds that a file is held open for the caller."""


class ServerExchange(Exchange):
    """``head`` is there from the beginning."""

    link: ServerLink
    head: Request

    @property
    def shares_files(self) -> bool:
        """Whether the caller would open the file that has the response's content."""
        return self.head.accept_file and bool(self.link.caller)

    def can_splice(self) -> bool:
        """Whether the kernel can move what is no file."""
        return self.link.stage.can_splice()

    def sent_file(self) -> SentFile | None:
        """The file that has the request's content, if one has. Raises ``OSError`` if it is unusable."""
        if self.head.file is None:
            return None
        from udist_plugin.server.files import SentFile

        return SentFile(self, self.head.file, self.link.caller)

    def respond(self, head: Response, content: bytes = b"", *, end: bool) -> None:
        """Sends the head, with content that the first credit covers, and ends the response if ``end``."""
        link, stream = self.link, self.stream
        with link.output.turn(bulk=False):
            with link.lock:
                if self.error:
                    raise self.error
                frames = link.connection.respond(stream, head, end and not content)
                if content:
                    frames += link.connection.send_data(stream, len(content), end) + content
                if end:
                    frames += link.sent_last(stream)
            link.output.write(frames)

    def hold(self) -> None:
        """Returns once the caller has opened the file of the response. Raises ``TransportError``."""
        self.patience = HOLD
        with self.link.lock:
            self.link.wait(self, lambda: self.error is not None)
            if self.error and self.error.code != "OK":
                raise self.error

    def finish(self, code: str, message: str, *, unprocessed: bool = False) -> None:
        """Frees the slot, and resets what did not end as it should."""
        link, stream = self.link, self.stream
        with link.lock:
            self.drop_unread()
        if stream.id not in link.connection.streams:
            return
        with link.output.turn(bulk=False):
            with link.lock:
                frame = link.connection.finish(stream, code, message, unprocessed=unprocessed)
            link.output.write(frame)


class ServerLink(Link):
    """``connection`` is the plugin's; ``settings`` are the caller's once they came. ``caller`` is its process
    id if it shares files, else 0."""

    connection: PluginConnection
    caller = 0
    source_blocks = True
    spin = 0.0
    """Seconds that the next request is looked for before a read that blocks, while they follow so closely."""

    def __init__(self, source: int, sink: int, max_streams: int = INITIAL_STREAMS) -> None:
        connection = PluginConnection(memory=MEMORY, max_streams=max_streams)
        self._accepted: deque[ServerExchange] = deque()
        super().__init__(
            connection, source, sink, payload=PAYLOAD, stall=None, keeps_role=self._has_one_at_work
        )

    def settings(self) -> Settings:
        """Waits for the caller's settings. Raises ``TransportError``."""
        with self.lock:
            self.wait(IDLE, lambda: self.connection.peer is not None)
            assert self.connection.peer
            return self.connection.peer

    def accept(self) -> ServerExchange:
        """The next request. Raises ``EndOfRequests`` at the end, ``TransportError`` when the link broke."""
        with self.lock:
            self.wait(IDLE, lambda: bool(self._accepted))
            if not self._others_sleep():
                self.role.let_go()
            return self._accepted.popleft()

    def let_go(self) -> None:
        """This thread accepts no more."""
        with self.lock:
            self.role.let_go()

    def send_settings(self, settings: Settings) -> None:
        """The ready mark. From here on there are as many streams as it says."""
        with self.output.turn(bulk=False):
            with self.lock:
                frame = self.connection.send_settings(settings)
            self.output.write(frame)

    def go_away(self, code: str, message: str) -> None:
        """Refuses everything from here on."""
        with self.output.turn(bulk=False):
            with self.lock:
                frame = self.connection.go_away(code, message)
            self.output.write(frame)

    def wait_readable(self, seconds: float | None) -> None:
        """Standard input blocks by itself, but not until a time, nor where a caller made it non-blocking."""
        from udist_plugin.link.fds import wait_for

        if not wait_for(self.source, timeout=least(seconds, self.role.time_left)):
            raise Interrupted

    def at_end(self) -> TransportError:
        return EndOfRequests("the caller has closed standard input")

    def on_broken(self, error: UdistError) -> TransportError:
        if isinstance(error, TransportError):
            return error
        if isinstance(error, VersionMismatch):
            return TransportError(naming_release(str(error)), code="FAILED_PRECONDITION")
        return TransportError(str(error), code="INTERNAL")

    def on_head(self, event: HeadReceived) -> None:
        assert isinstance(event.head, Request)
        exchange = ServerExchange(self, event.stream)
        exchange.head = event.head
        event.stream.owner = exchange
        if event.head.timeout_ms:
            import time

            exchange.deadline = time.monotonic() + event.head.timeout_ms / 1000
        self._accepted.append(exchange)
        self.role.wake_idle()

    def on_connection(self, event: ConnectionReceived) -> None:
        if isinstance(event.body, GoAway):
            self.fail(Cancelled("the caller is going away"))

    def _has_one_at_work(self) -> bool:
        return bool(self._accepted) and self._others_sleep()

    def spin_now(self) -> float:
        """Only while nobody is at work, who would have to wait for the interpreter."""
        return self.spin if len(self.connection.streams) <= self.role.sleepers else 0.0

    def _others_sleep(self) -> bool:
        """Whether all requests but one wait for a frame: then nobody competes with that one."""
        return len(self.connection.streams) - self.role.sleepers <= 1

    def ends(self, stream: Stream, error: TransportError) -> bool:
        """A request that has come whole is still answered, as far as the credit for it goes."""
        return not isinstance(error, EndOfRequests) or stream.incoming is not Half.DONE

    def sent_last(self, stream: Stream) -> bytes:
        return self.connection.finish(stream)
