"""Both connections against each other, joined by queues, in any interleaving.

A caller that keeps the rules never meets a refusal or an error, whatever it gives up on and however late the
plugin's workers are; a content-length that was a lie costs its stream and nothing else.
"""

from __future__ import annotations

from collections import deque
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from udist_plugin.wire import caller, plugin
from udist_plugin.wire.caller import CallerConnection
from udist_plugin.wire.connection import Connection, HeadReceived, ResetReceived, StreamFault
from udist_plugin.wire.constants import DECLARED_CREDIT, INITIAL_CREDIT, MAX_DATA, PREFIX_SIZE, SMALL_CREDIT
from udist_plugin.wire.decoding import decode
from udist_plugin.wire.frames import Frame, Request, Response, Settings, WindowUpdate
from udist_plugin.wire.framing import DataHead, data_head, frame_length
from udist_plugin.wire.plugin import PluginConnection
from udist_plugin.wire.stream import Half, Stream

MEMORY = 1 << 20
FIRST, SLOTS = 3, 5
"""Few, so that they are used up all the time."""

KNOWN = [DECLARED_CREDIT]

picks = st.integers(0, 1000)
lengths = st.sampled_from((1, 1000, SMALL_CREDIT, INITIAL_CREDIT // 2, INITIAL_CREDIT, MAX_DATA))


class Side:
    """One connection, what is under way to it, and the streams that it knows. Payloads are lengths alone."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.coming: deque[bytes] = deque()
        self.seen: dict[int, Stream] = {}
        self.resets: list[ResetReceived] = []
        self.faults: list[StreamFault] = []

    def send_to(self, peer: Side, frames: bytes) -> None:
        """Several control frames, or the head of one data frame."""
        while frames:
            length = PREFIX_SIZE + frame_length(frames)
            peer.coming.append(frames[:length])
            frames = frames[length:]

    def receive(self) -> None:
        frame = self.coming.popleft()
        try:
            if isinstance(head := parsed(frame), DataHead):
                self.connection.receive_data(head.stream_id, head.length, head.end_stream)
                return
            event = self.connection.receive(head)
        except StreamFault as fault:
            self.faults.append(fault)
            return
        if isinstance(event, HeadReceived):
            self.seen[event.stream.id] = event.stream
        elif isinstance(event, ResetReceived):
            self.resets.append(event)

    def pick(self, number: int, *, sending: bool = False) -> Stream | None:
        """Some stream; with ``sending``, one on which this side's content has begun and not ended."""
        streams = [
            stream
            for stream in self.seen.values()
            if not sending or (stream.outgoing is Half.CONTENT and not stream.reset)
        ]
        return streams[number % len(streams)] if streams else None


def parsed(frame: bytes) -> DataHead | Frame:
    return data_head(frame, 0, len(frame)) or decode(frame[PREFIX_SIZE:])[0]


def declared(length: int | None) -> list[tuple[str, bytes]]:
    return [] if length is None else [("content-length", str(length).encode())]


class Exchanges(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.few_streams = [mock.patch.object(each, "INITIAL_STREAMS", FIRST) for each in (caller, plugin)]
        for each in self.few_streams:
            each.start()
        self.caller_connection = CallerConnection(memory=MEMORY)
        self.plugin_connection = PluginConnection(memory=MEMORY, max_streams=FIRST)
        self.caller, self.plugin = Side(self.caller_connection), Side(self.plugin_connection)
        self.lies: set[int] = set()

    @initialize(before=st.integers(0, 3))
    def shake_hands(self, before: int) -> None:
        """The caller need not wait for the plugin's settings."""
        self.caller.send_to(self.plugin, self.caller_connection.send_settings(Settings([1], 0, KNOWN)))
        for _ in range(before):
            self.open("GET", True, None)
        self.plugin.receive()
        self.plugin.send_to(self.caller, self.plugin_connection.send_settings(Settings([1], SLOTS, KNOWN)))

    @precondition(lambda self: self.caller_connection.can_open)
    @rule(
        method=st.sampled_from(("GET", "HEAD", "PUT")),
        end=st.booleans(),
        length=st.none() | st.sampled_from((0, 1000)),
    )
    def open(self, method: str, end: bool, length: int | None) -> None:
        length = None if end else length  # that lie would be refused at once
        request = Request(method, "http", "localhost", "/", declared(length), 0)
        stream, frame = self.caller_connection.open(request, end)
        self.caller.seen[stream.id] = stream
        self.caller.send_to(self.plugin, frame)
        if length is not None:
            self.lies.add(stream.id)

    @rule(number=picks, end=st.booleans(), length=st.none() | st.sampled_from((0, 1000)))
    def respond(self, number: int, end: bool, length: int | None) -> None:
        stream = self.plugin.pick(number)
        if stream and stream.outgoing is Half.HEAD and self._works_on(stream):
            frame = self.plugin_connection.respond(stream, Response(200, declared(length)), end)
            self._send_from_plugin(stream, frame)

    @rule(number=picks, length=lengths, end=st.booleans(), from_caller=st.booleans())
    def send_data(self, number: int, length: int, end: bool, from_caller: bool) -> None:
        side = self.caller if from_caller else self.plugin
        if stream := side.pick(number, sending=True):
            length = min(length, stream.send_window.credit)
            if length or end:
                self._send(side, stream, side.connection.send_data(stream, length, end))

    @rule(number=picks, from_caller=st.booleans())
    def send_end(self, number: int, from_caller: bool) -> None:
        side = self.caller if from_caller else self.plugin
        if stream := side.pick(number, sending=True):
            self._send(side, stream, side.connection.send_end(stream, [("x-check", b"1")]))

    @rule(number=picks)
    def give_up(self, number: int) -> None:
        if stream := self.caller.pick(number):
            self.caller.send_to(self.plugin, self.caller_connection.reset(stream, "CANCELLED"))

    @rule(number=picks, code=st.sampled_from(("INTERNAL", "DEADLINE_EXCEEDED")))
    def fail(self, number: int, code: str) -> None:
        """A worker ends before its response does, mostly because the caller gave up."""
        stream = self.plugin.pick(number)
        if stream and stream.id in self.plugin_connection.streams:
            self.plugin.send_to(self.caller, self.plugin_connection.finish(stream, code))

    @rule(number=picks, share=st.floats(0, 1), by_caller=st.booleans())
    def consume(self, number: int, share: float, by_caller: bool) -> None:
        side = self.caller if by_caller else self.plugin
        if stream := side.pick(number):
            side.connection.consume(stream, int(stream.receive_window.unread * share))

    @rule(token=st.integers(0, 9), by_caller=st.booleans())
    def ping(self, token: int, by_caller: bool) -> None:
        side, peer = self._sides(by_caller)
        side.send_to(peer, side.connection.send_ping(token))

    @rule(by_caller=st.booleans())
    def write_control(self, by_caller: bool) -> None:
        side, peer = self._sides(by_caller)
        side.send_to(peer, side.connection.take_control())
        assert not side.connection.owes_control

    @rule(to_caller=st.booleans(), count=st.integers(1, 8))
    def deliver(self, to_caller: bool, count: int) -> None:
        side = self.caller if to_caller else self.plugin
        for _ in range(min(count, len(side.coming))):
            side.receive()

    @invariant()
    def the_plugin_has_a_slot_for_every_stream_that_the_caller_may_open(self) -> None:
        held = len(self.caller_connection.streams) + len(self.caller_connection._aborted)
        assert len(self.plugin_connection.streams) <= held <= SLOTS
        assert not self.plugin_connection._refusals

    @invariant()
    def no_more_than_the_first_streams_begin_with_much_credit(self) -> None:
        windows = [stream.receive_window for stream in self.plugin_connection.streams.values()]
        assert sum(window._initial > SMALL_CREDIT for window in windows) <= FIRST

    @invariant()
    def credit_is_conserved(self) -> None:
        """What a sender has, what is under way in either direction, and what its receiver counts agree."""
        for sender, receiver in ((self.caller, self.plugin), (self.plugin, self.caller)):
            for stream_id, stream in sender.seen.items():
                other = receiver.seen.get(stream_id)
                if other is None or stream.reset or other.reset or other.incoming is Half.DONE:
                    continue
                data = sum(
                    head.length
                    for head in map(parsed, receiver.coming)
                    if isinstance(head, DataHead) and head.stream_id == stream_id
                )
                granted = receiver.connection._updates.get(stream_id, 0) + sum(
                    frame.body.credit
                    for frame in map(parsed, sender.coming)
                    if isinstance(frame, Frame)
                    and frame.stream_id == stream_id
                    and isinstance(frame.body, WindowUpdate)
                )
                window = other.receive_window
                assert stream.send_window.credit + data + granted == window.credit
                assert window.credit + window.unread <= window.size

    @invariant()
    def only_lies_are_faults(self) -> None:
        for fault in self.plugin.faults + self.caller.faults:
            assert "content-length" in fault.reset.message
        assert {fault.stream.id for fault in self.plugin.faults} <= self.lies

    def teardown(self) -> None:
        """Every worker ends, and all that is under way arrives: nothing is left."""
        for each in self.few_streams:
            each.stop()
        for _ in range(3):
            for by_caller in (True, False):
                self.write_control(by_caller)
            self.deliver(True, 10_000)
            self.deliver(False, 10_000)
            for stream in list(self.plugin_connection.streams.values()):
                self.plugin.send_to(self.caller, self.plugin_connection.finish(stream, "INTERNAL"))
        for side in (self.caller, self.plugin):
            for stream in side.seen.values():
                side.connection.consume(stream, stream.receive_window.unread)
        assert not self.plugin_connection.streams
        assert not self.caller_connection.streams
        assert not self.caller_connection._aborted
        assert not self.caller_connection._bodiless
        for connection in (self.caller_connection, self.plugin_connection):
            assert connection._budget.left == MEMORY
            assert not connection._updates

    def _sides(self, by_caller: bool) -> tuple[Side, Side]:
        return (self.caller, self.plugin) if by_caller else (self.plugin, self.caller)

    def _works_on(self, stream: Stream) -> bool:
        return stream.id in self.plugin_connection.streams and not stream.reset

    def _send(self, side: Side, stream: Stream, frame: bytes) -> None:
        if side is self.caller:
            self.caller.send_to(self.plugin, frame)
        else:
            self._send_from_plugin(stream, frame)

    def _send_from_plugin(self, stream: Stream, frame: bytes) -> None:
        """The last frame of a response is written together with what finishing owes."""
        self.plugin.send_to(self.caller, frame)
        if stream.outgoing is Half.DONE:
            self.plugin.send_to(self.caller, self.plugin_connection.finish(stream))


Exchanges.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestExchanges: Any = Exchanges.TestCase
