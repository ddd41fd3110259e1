"""Faults to plant into the Python client, one at a time: the conformance runner has to find each.

``FAULTS`` names them; ``plant`` changes the client of this process.
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.client import call
from udist_plugin.client.link import ClientExchange, ClientLink
from udist_plugin.client.process import PluginProcess
from udist_plugin.client.slots import Slots
from udist_plugin.errors import RemoteProtocolError, TransportError
from udist_plugin.link import files, intake
from udist_plugin.link.exchange import Exchange
from udist_plugin.wire import caller, connection, heads
from udist_plugin.wire.caller import CallerConnection
from udist_plugin.wire.connection import Connection, EndReceived
from udist_plugin.wire.constants import MAX_CREDIT
from udist_plugin.wire.encoding import encode
from udist_plugin.wire.frames import Frame, GoAway, Log, Ping, Request, Settings, WindowUpdate
from udist_plugin.wire.stream import TRANSITIONS, Half, Input, Stream
from udist_plugin.wire.windows import ReceiveWindow, SendWindow

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final[dict[str, Callable[[], None]]] = {}


def plant(name: str) -> None:
    """From now on the client has this fault."""
    FAULTS[name]()


def fault(change: Callable[[], None]) -> Callable[[], None]:
    FAULTS[change.__name__.replace("_", "-")] = change
    return change


def wrap(owner: Any, name: str, around: Callable[[Any], Any]) -> None:
    """Puts ``around`` what stands there."""
    setattr(owner, name, around(getattr(owner, name)))


# Files


@fault
def a_file_is_not_looked_at() -> None:
    wrap(files, "_check", lambda before: lambda file, status: None)


@fault
def a_file_is_tried_again() -> None:
    wrap(call.Call, "_do_without_files", keep_sharing)


def keep_sharing(before: Any) -> Any:
    def changed(self: call.Call) -> None:
        before(self)
        self._link.shares_files = True

    return changed


# Flow control


@fault
def no_window_is_granted() -> None:
    wrap(ReceiveWindow, "consume", lambda before: lambda self, amount: 0)


@fault
def windows_are_granted_on_arrival() -> None:
    def receive(before: Any) -> Any:
        def changed(self: Connection, stream_id: int, length: int, end_stream: bool) -> Any:
            stream = before(self, stream_id, length, end_stream)
            if stream:
                stream.receive_window.unread = 0
                self.consume(stream, 0)
            return stream

        return changed

    wrap(Connection, "receive_data", receive)


@fault
def windows_grow_beyond_the_maximum() -> None:
    wrap(ReceiveWindow, "consume", lambda before: lambda self, amount: MAX_CREDIT)


@fault
def windows_of_nothing_are_granted() -> None:
    def useless(frame: Frame) -> bytes:
        return encode(Frame(frame.stream_id, WindowUpdate(0))) if isinstance(frame.body, Request) else b""

    wrap(caller, "encode", lambda before: lambda frame: before(frame) + useless(frame))


@fault
def data_exceeds_its_credit() -> None:
    wrap(SendWindow, "__init__", lambda before: lambda self, _: setattr(self, "credit", MAX_CREDIT // 2))


@fault
def credit_is_lost() -> None:
    wrap(SendWindow, "grow", lambda before: lambda self, amount: None)


@fault
def credit_of_nothing_is_taken() -> None:
    wrap(SendWindow, "grow", lambda before: lambda self, amount: before(self, amount or 1))


@fault
def data_beyond_its_credit_is_taken() -> None:
    wrap(ReceiveWindow, "receive", lambda before: lambda self, amount: before(self, min(amount, self.credit)))


# Streams


@fault
def resets_are_not_sent() -> None:
    wrap(CallerConnection, "reset", lambda before: lambda *arguments: before(*arguments)[:0])


@fault
def faulty_streams_are_not_reset() -> None:
    wrap(Connection, "_refuse", lambda before: lambda self, stream_id, reset: None)


@fault
def frames_of_a_stream_given_up_are_errors() -> None:
    def find(before: Any) -> Any:
        def changed(self: CallerConnection, stream_id: int, ends: bool) -> Any:
            if stream_id in self._aborted:
                raise RemoteProtocolError("a frame on a stream that was reset")
            return before(self, stream_id, ends)

        return changed

    wrap(CallerConnection, "_find", find)


@fault
def frames_of_unknown_streams_are_dropped() -> None:
    def find(before: Any) -> Any:
        return lambda self, number, ends: before(self, number, ends) if number <= self.highest_id else None

    wrap(CallerConnection, "_find", find)


@fault
def a_second_head_is_taken() -> None:
    TRANSITIONS[Half.CONTENT, Input.HEAD, False] = Half.CONTENT


@fault
def heads_are_not_checked() -> None:
    wrap(heads, "response_problem", lambda before: lambda head: None)


@fault
def lengths_are_not_checked() -> None:
    wrap(Stream, "declare", lambda before: lambda *arguments: None)


@fault
def ends_are_not_sent() -> None:
    wrap(connection, "encode_data_head", lambda before: lambda number, length, end: before(number, length, 0))


@fault
def data_is_not_canonical() -> None:
    def head(before: Any) -> Any:
        def changed(stream_id: int, length: int, end_stream: bool) -> bytes:
            data: bytes = before(stream_id, length, end_stream)[5:]
            longer = data if end_stream else data[:2] + b"\x10\x00" + data[2:]
            return b"\0" + (len(longer) + length).to_bytes(4, "big") + longer

        return changed

    wrap(connection, "encode_data_head", head)


@fault
def an_early_answer_is_an_error() -> None:
    def check_end(self: Exchange) -> None:
        if self.error:
            raise self.error

    wrap(Exchange, "_check_end", lambda before: check_end)


@fault
def reset_with_ok_ends_a_response() -> None:
    def receive(before: Any) -> Any:
        def changed(self: CallerConnection, stream: Any, reset: Any) -> Any:
            if reset.code == "OK":
                stream.incoming = Half.DONE
            return before(self, stream, reset)

        return changed

    wrap(CallerConnection, "_receive_reset", receive)


@fault
def unprocessed_is_ignored() -> None:
    wrap(intake, "reset_error", lambda before: lambda reset: before(reset._replace(unprocessed=False)))


@fault
def trailers_are_lost() -> None:
    wrap(EndReceived, "__init__", lambda before: lambda self, stream, trailers: before(self, stream, ()))


# Slots


@fault
def slots_are_free_at_the_reset() -> None:
    def reset(before: Any) -> Any:
        def changed(self: CallerConnection, stream: Any, *arguments: str) -> Any:
            frame = before(self, stream, *arguments)
            self._aborted.discard(stream.id)
            return frame

        return changed

    wrap(CallerConnection, "reset", reset)


@fault
def slots_of_what_was_given_up_are_never_free() -> None:
    wrap(CallerConnection, "_find", lambda before: lambda self, number, ends: before(self, number, False))


@fault
def slots_are_not_counted() -> None:
    wrap(CallerConnection, "can_open", lambda before: True)


@fault
def more_slots_are_not_used() -> None:
    wrap(CallerConnection, "slots", lambda before: 64)


@fault
def fewer_slots_than_64_are_believed() -> None:
    def slots(self: CallerConnection) -> int:
        return self.peer.max_streams if self.peer else 64

    wrap(CallerConnection, "slots", lambda before: property(slots))


@fault
def credit_is_never_declared() -> None:
    wrap(CallerConnection, "declares_credit", lambda before: False)


@fault
def credit_is_declared_to_any_plugin() -> None:
    wrap(CallerConnection, "declares_credit", lambda before: True)


@fault
def declared_credit_is_not_kept_to() -> None:
    def init(before: Any) -> Any:
        return lambda self, stream_id, budget, largest, credit=0: before(self, stream_id, budget, largest)

    wrap(Stream, "__init__", init)


# The connection


@fault
def pings_are_not_answered() -> None:
    def receive(before: Any) -> Any:
        return lambda self, body: None if isinstance(body, Ping) else before(self, body)

    wrap(Connection, "_receive_on_connection", receive)


@fault
def pings_are_answered_with_another_token() -> None:
    def receive(before: Any) -> Any:
        return lambda self, body: before(self, Ping(body.token ^ 1) if isinstance(body, Ping) else body)

    wrap(Connection, "_receive_on_connection", receive)


@fault
def settings_twice_are_taken() -> None:
    def receive(before: Any) -> Any:
        def changed(self: Connection, body: Any) -> Any:
            if isinstance(body, Settings):
                self.peer = None
            return before(self, body)

        return changed

    wrap(Connection, "_receive_on_connection", receive)


@fault
def any_version_is_taken() -> None:
    wrap(CallerConnection, "_check_settings", lambda before: lambda self, settings: None)


@fault
def several_versions_are_taken() -> None:
    wrap(CallerConnection, "_check_settings", lambda before: Connection._check_settings)


@fault
def frames_before_settings_are_taken() -> None:
    wrap(connection, "_FIRST", lambda before: (Settings, GoAway, Ping, Log))


@fault
def go_away_is_ignored() -> None:
    wrap(ClientLink, "_go_away", lambda before: lambda self, away: None)


@fault
def requests_follow_a_go_away() -> None:
    wrap(CallerConnection, "exhausted", lambda before: False)


@fault
def text_is_not_named() -> None:
    wrap(ClientLink, "on_broken", lambda before: lambda self, error: TransportError("something is wrong"))


# Time


@fault
def deadlines_are_ignored() -> None:
    def create(before: Any) -> Any:
        def changed(self: call.Call, *arguments: Any, **options: Any) -> None:
            before(self, *arguments, **options)
            self._deadline = None

        return changed

    wrap(call.Call, "__init__", create)


@fault
def time_limits_are_told_in_seconds() -> None:
    wrap(call, "_milliseconds", lambda before: lambda timeout: int(timeout or 0))


# The process


@fault
def death_is_not_noticed() -> None:
    wrap(ClientLink, "at_end", lambda before: lambda self: time.sleep(60))


@fault
def cut_content_is_whole() -> None:
    wrap(Exchange, "_check_end", lambda before: lambda self: None)


@fault
def cut_payloads_are_content() -> None:
    def fail(self: intake.Intake, _: TransportError) -> None:
        if self._exchange:
            self._exchange.inbox.settle()

    wrap(intake.Intake, "fail", lambda before: fail)


@fault
def what_was_posted_is_repeatable() -> None:
    wrap(ClientExchange, "fail", lambda before: Exchange.fail)


@fault
def standard_error_is_not_read() -> None:
    wrap(PluginProcess, "_read_stderr", lambda before: lambda self: time.sleep(60))


@fault
def standard_error_is_not_told() -> None:
    wrap(PluginProcess, "stderr_tail", lambda before: lambda self: "")


@fault
def term_is_not_sent() -> None:
    wrap(subprocess.Popen, "terminate", lambda before: lambda self: None)


@fault
def standard_input_is_not_closed() -> None:
    wrap(PluginProcess, "end", lambda before: lambda self, *until, polite: before(self, *until, polite=False))


@fault
def the_plugin_is_not_ended() -> None:
    left = []

    def end(self: PluginProcess, *until: float, polite: bool) -> int:
        left.append(self)  # or its pipes would be closed
        return 0

    wrap(PluginProcess, "end", lambda before: end)
    wrap(PluginProcess, "close", lambda before: lambda self: None)


@fault
def closing_waits_for_no_response() -> None:
    wrap(Slots, "drain", lambda before: lambda self, deadline: None)
