"""Both ends of a link in one process: what the protocol owes is written though nobody else writes."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.link.waiting import until
from tests.wire.sides import read
from udist_plugin.errors import StreamReset, TransportError
from udist_plugin.link.fds import wait_for
from udist_plugin.link.output import SMALL
from udist_plugin.server.link import ServerLink
from udist_plugin.wire.constants import INITIAL_CREDIT, PREFIX_SIZE
from udist_plugin.wire.encoding import encode, encode_data_head
from udist_plugin.wire.frames import Frame, Ping, Request, Reset, Response, Settings, WindowUpdate
from udist_plugin.wire.framing import frame_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.server.link import ServerExchange

HELLO = encode(Frame(0, Settings([1])))


class Peer:
    """A caller that writes frames by hand to a plugin's link, which a thread of its own serves."""

    def __init__(self) -> None:
        source, self._write = os.pipe()
        self._read, sink = os.pipe()
        self._descriptors = [source, self._write, self._read, sink]
        self.link = ServerLink(source, sink, max_streams=2)
        self.accepted: list[ServerExchange] = []
        self.came = threading.Semaphore(0)
        self.ended: TransportError | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            while True:
                self.accepted.append(self.link.accept())
                self.came.release()
        except TransportError as error:
            self.ended = error

    def send(self, data: bytes) -> None:
        os.write(self._write, data)

    def receive(self) -> Frame:
        """The next frame; one that does not come fails the test."""
        prefix = self._exactly(PREFIX_SIZE)
        return read(prefix + self._exactly(frame_length(prefix)))[0]

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            assert wait_for(self._read, timeout=30), "nothing is written"
            data += os.read(self._read, size - len(data))
        return data

    def end(self) -> None:
        """The end of what it writes; twice is once."""
        if self._write in self._descriptors:
            self._descriptors.remove(self._write)
            os.close(self._write)

    def close(self) -> None:
        self.end()
        self._thread.join(30)
        assert not self._thread.is_alive()
        assert self.link.output.retire(30)
        for descriptor in self._descriptors:
            os.close(descriptor)


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    peer.send(HELLO)
    yield peer
    peer.close()
    assert peer.ended


def test_a_ping_is_answered_while_nothing_else_happens(peer: Peer) -> None:
    for token in (7, 8):
        peer.send(encode(Frame(0, Ping(token))))
        assert peer.receive() == Frame(0, Ping(token, True))


def test_a_refusal_is_told_while_the_workers_are_busy(peer: Peer) -> None:
    for number in (1, 3, 5):
        peer.send(encode(Frame(number, Request("GET", "http", "", "/"), True)))
    refused = peer.receive()
    assert refused.stream_id == 5
    assert isinstance(refused.body, Reset)
    assert (refused.body.code, refused.body.unprocessed) == ("RESOURCE_EXHAUSTED", True)


def test_credit_comes_back_as_content_is_read(peer: Peer) -> None:
    peer.send(encode(Frame(1, Request("PUT", "http", "", "/"))))
    assert peer.came.acquire(timeout=30)
    (exchange,) = peer.accepted
    half = INITIAL_CREDIT // 2
    sender = threading.Thread(target=peer.send, args=(encode_data_head(1, half, False) + bytes(half),))
    sender.start()
    assert exchange.read(half) == bytes(half)
    sender.join(30)
    update = peer.receive()
    assert update.stream_id == 1
    assert isinstance(update.body, WindowUpdate)
    assert update.body.credit >= half


@pytest.mark.parametrize("reading", [True, False])
def test_a_last_payload_that_was_cut_is_no_end(peer: Peer, reading: bool) -> None:
    """The caller is killed while it writes: neither is the content whole, nor is anything made up for it."""
    peer.send(encode(Frame(1, Request("PUT", "http", "", "/"))))
    assert peer.came.acquire(timeout=30)
    (exchange,) = peer.accepted
    peer.send(encode_data_head(1, 5, False) + b"hello")
    assert exchange.read(5) == b"hello"
    cut = encode_data_head(1, 1000, True) + bytes(10)
    if not reading:
        peer.send(cut)
        peer.end()
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(exchange.read, 1000)
        if reading:
            until(lambda: exchange.inbox.lent is not None)
            peer.send(cut)
            peer.end()
        with pytest.raises(TransportError, match="990 bytes short"):
            read.result(30)
    assert not exchange.unread


def test_what_is_too_long_is_skipped_in_a_frame_that_is_not_canonical(peer: Peer) -> None:
    peer.send(encode(Frame(1, Request("PUT", "http", "", "/", [("content-length", b"1")]))))
    peer.send(b"\0\0\0\0\x08" + b"\x08\x01\x10\x00\x7a\x02xy" + encode(Frame(0, Ping(7))))
    assert peer.receive() == Frame(0, Ping(7, True))
    with pytest.raises(StreamReset, match="content-length"):
        peer.accepted[0].read()


@pytest.mark.parametrize("reading", [True, False])
def test_a_payload_arrives_in_a_frame_that_is_not_canonical(peer: Peer, reading: bool) -> None:
    peer.send(encode(Frame(1, Request("PUT", "http", "", "/"))))
    assert peer.came.acquire(timeout=30)
    (exchange,) = peer.accepted
    frame = b"\0\0\0\0\x0b" + b"\x08\x01\x10\x00\x7a\x05hello"
    if not reading:
        peer.send(frame)
        until(lambda: exchange.inbox.chunks)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(exchange.read, 5)
        if reading:
            until(lambda: exchange.inbox.lent is not None)
            peer.send(frame)
        assert read.result(30) == b"hello"


def test_nothing_but_the_reader_is_waited_for(peer: Peer) -> None:
    """A plugin knows of no process whose end it could wait for; its standard input is readable then."""
    size = 2 << 20
    saved, null = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.set_blocking(peer.link.output.fd, False)

    def write() -> None:
        with peer.link.output.turn(bulk=True):
            peer.link.output.write(bytes(size))

    os.dup2(null, 0)
    try:
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            until(lambda: not wait_for(peer.link.output.fd, writable=True, timeout=0))
            read = peer._exactly(size)
            writing.result(30)
        assert read == bytes(size)
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(null)


@pytest.mark.parametrize(("length", "bulk"), [(1, False), (SMALL, False), (SMALL + 1, True)])
def test_content_waits_with_the_bulk_when_it_is_long(peer: Peer, length: int, bulk: bool) -> None:
    peer.send(encode(Frame(1, Request("GET", "http", "", "/"), True)))
    assert peer.came.acquire(timeout=30)
    (exchange,) = peer.accepted
    exchange.respond(Response(200), end=False)
    output = peer.link.output
    sending = threading.Thread(target=exchange.send_content, args=(bytes(length),), kwargs={"end": True})
    with output.turn(bulk=False):
        sending.start()
        until(lambda: output._bulk or output._small)
        assert (bool(output._bulk), bool(output._small)) == (bulk, not bulk)
    sending.join(30)
    assert peer.receive().body == Response(200, [])
    assert peer.receive() == Frame(1, None, True)
