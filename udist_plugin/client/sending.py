"""A request's content on its way to the plugin.

What the first credit covers goes out at once. More is sent by a thread of its own, because content flows both
ways: a plugin may answer, or want its answer read, before it has read everything.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from io import BufferedReader, FileIO

from udist_plugin.client.link import LAST_WORDS
from udist_plugin.client.readers import octets
from udist_plugin.errors import TransportError
from udist_plugin.link.files import described_file
from udist_plugin.link.splice import SpliceableFile, descriptor_of
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.client.link import ClientLink
    from udist_plugin.client.readers import Readable
    from udist_plugin.link.exchange import Exchange
    from udist_plugin.wire.frames import File

READ: Final = 1 << 20

OFFERED: Final = 16 << 10
"""Bytes from which on the plugin is to open a file itself: fewer are sent in one frame."""


def offered(body: memoryview | Readable | None, length: int | None) -> File | None:
    """What to tell the plugin of a file that it can open itself, for ``length`` bytes of it or all that is
    left. ``None`` for any other body, and for one that is too short to be worth it."""
    if not isinstance(body, BufferedReader | FileIO) or (length is not None and length < OFFERED):
        return None
    file = described_file(body, length) if body.readable() else None
    return file if file and file.length >= OFFERED else None


def skip(body: memoryview | Readable | None, file: File) -> None:
    """Leaves ``body``, of which ``file`` was told, where reading would have left it."""
    assert isinstance(body, BufferedReader | FileIO)
    with suppress(ValueError):  # closed by another thread
        body.seek(file.offset + file.length)


def send(
    link: ClientLink, exchange: Exchange, body: memoryview | Readable, length: int | None
) -> Sending | None:
    """Sends ``body``; returns what goes on in the background, if anything does.

    ``length`` is the content-length, if one was given: a real file is then moved by the kernel.
    """
    if isinstance(body, memoryview) and len(body) <= exchange.stream.send_window.credit:
        send_piece(link, exchange, body, end=True)
        return None
    return Sending(link, exchange, body, length)


def send_piece(link: ClientLink, exchange: Exchange, piece: memoryview, *, end: bool) -> bool:
    """Sends ``piece``. ``False`` if the plugin wants no more: the end of the exchange, then, tells why."""
    try:
        exchange.send_content(piece, end=end)
    except TransportError as error:
        link.reset(exchange, error.code, str(error))
    except OSError:
        link.hasten(exchange, time.monotonic() + LAST_WORDS)
    else:
        return True
    return False


class Sending:
    """A thread that sends ``body``. ``error`` is what reading the body raised, if it did."""

    def __init__(
        self, link: ClientLink, exchange: Exchange, body: memoryview | Readable, length: int | None
    ) -> None:
        self.error: BaseException | None = None
        self._link = link
        self._exchange = exchange
        self._body = body
        self._length = length
        file = None if length is None or isinstance(body, memoryview) else descriptor_of(body)
        self._file: int | None = None
        with suppress(OSError):  # without a descriptor to spare, it is read as any other body
            self._file = None if file is None else os.dup(file)  # its owner may close it after the answer
        try:
            threading.Thread(target=self._run, name="udist-sending", daemon=True).start()
        except RuntimeError:  # the system gives no more threads
            self._run()

    def _run(self) -> None:
        try:
            self._send()
        except TransportError as error:
            self._link.reset(self._exchange, error.code, str(error))
        except OSError as error:
            if self._link.output.broken:
                self._link.hasten(self._exchange, time.monotonic() + LAST_WORDS)
            else:
                self._fail(error)
        except BaseException as error:  # the body's own: raised by whoever waits for the answer
            self._fail(error)
        finally:
            if self._file is not None:
                os.close(self._file)

    def _send(self) -> None:
        if isinstance(self._body, memoryview):
            self._exchange.send_content(self._body, end=True)
        elif self._file is not None and self._length is not None:
            self._exchange.send_spliced(SpliceableFile(self._file), self._length, end=True)
        else:
            while data := self._read(self._body):
                self._exchange.send_content(data, end=False)
            self._exchange.send_content(b"", end=True)

    def _read(self, body: Readable) -> memoryview:
        exchange = self._exchange
        exchange.excused = True  # the plugin is not to blame for the time that this takes
        try:
            return octets(body.read(READ))
        finally:
            exchange.begin()
            exchange.excused = False

    def _fail(self, error: BaseException) -> None:
        self.error = error
        self._link.reset(self._exchange, "CANCELLED", f"the content could not be read: {error}")
