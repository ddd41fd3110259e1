"""One run of one case: what the client is told, the plugin that it starts, and what both said."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections import deque
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from udist_plugin.testing.callers.errors import Unexpected, Unsupported
from udist_plugin.testing.callers.exchange import Exchange, Failure
from udist_plugin.testing.callers.plugin import Plugin

if TYPE_CHECKING:
    from udist_plugin.testing.callers.driver import Driver
    from udist_plugin.testing.callers.pump import Pump
    from udist_plugin.testing.callers.stream import Stream

STUB: Final = Path(__file__).with_name("stub.py")

NOTES: Final = 12
"""The last lines of a conversation that a failure shows."""

NOTE: Final = 160
"""Characters of such a line."""

LONG: Final = 3
"""So many times as long as other waits may those take that consist of several: starting, closing."""

_numbers = count(1)
"""Of exchanges, never used twice: a report that comes late is none of the next case's."""


class Run:
    """Plays one case with ``driver``. ``folder`` has room for a socket.

    ``failure`` is what the driver said of the plugin's start, if it failed.
    """

    def __init__(self, driver: Driver, pump: Pump, folder: str) -> None:
        self.pump = pump
        self.failure: Failure | None = None
        self.notes: deque[str] = deque(maxlen=NOTES)
        self._driver = driver
        self._address = os.path.join(folder, f"{next(_numbers)}")
        self._listener: socket.socket | None = None
        self._plugin: Plugin | None = None
        self._exchanges: dict[int, Exchange] = {}
        self._closing = self._closed = False
        self._sloppy = False
        self._open: list[int] = []
        driver.on_report = self._report

    # What the client is told

    def start(self, *, ready: bool = True, max_streams: int = 64, sharing: bool = False) -> Plugin:
        """Has the client start the plugin, and waits for its settings; then the plugin is ``ready``, or it is
        up to the case what it says. ``sharing``: the client offers to share files."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._address)
        self._listener.listen(1)
        self.pump.watch(self._listener.fileno(), self._accept)
        self.command("share" if sharing else "start", sys.executable, "-I", "-S", str(STUB), self._address)
        self.pump.until(
            lambda: (self._plugin and self._plugin.started) or self.failure,
            "the plugin's start",
            LONG * self.pump.timeout,
        )
        if not self._plugin:
            raise Unexpected(f"the client could not start the plugin: {self.failure}")
        if ready:
            self._plugin.await_settings()
            self._plugin.ready(max_streams=max_streams)
        return self._plugin

    def exchange(
        self, method: str = "GET", length: int | str = "-", fields: tuple[str, ...] = ()
    ) -> Exchange:
        """A whole exchange, with a target of its own."""
        return self._begin("exchange", method, length, *fields)

    def send_file(self, offset: int, length: int) -> Exchange:
        """A whole exchange whose content stands in a file from ``offset`` on."""
        return self.exchange("PUT", f"{length}@{offset}")

    def file(self, content: bytes) -> int:
        """The descriptor of a new file, open for reading and writing; closed at the end of the case."""
        descriptor, path = tempfile.mkstemp()
        os.unlink(path)
        os.write(descriptor, content)
        return self.keep(descriptor)

    def keep(self, descriptor: int) -> int:
        """The same descriptor, which is closed at the end of the case."""
        self._open.append(descriptor)
        return descriptor

    def open(
        self, method: str = "GET", length: int | str = "-", timeout: int = 0, fields: tuple[str, ...] = ()
    ) -> Exchange:
        """An exchange whose parts its user does one by one. ``timeout`` is in milliseconds."""
        return self._begin("open", method, length, timeout, *fields)

    def accepted(self, exchange: Exchange) -> Stream:
        """Waits for the request of ``exchange``."""
        plugin = self._plugin
        assert plugin
        expected = f"the request of {exchange}"
        self.pump.until(
            lambda: plugin.find(exchange.target) or exchange.failure or self.failure or plugin.input_ended,
            expected,
        )
        if stream := plugin.find(exchange.target):
            return stream
        failure = exchange.failure or self.failure
        why = f"it failed with {failure}" if failure else "the client closed the plugin's standard input"
        raise Unexpected(f"expected {expected}; {why}")

    def answer(self, exchange: Exchange) -> None:
        """Gives a whole exchange the shortest of answers, and waits until its user has it."""
        self.accepted(exchange).respond(200, end=True)
        exchange.succeeds(200)

    def works(self) -> None:
        """One more exchange is as it should be."""
        self.answer(self.exchange())

    def breaks(self) -> None:
        """One more exchange fails: the connection is over."""
        self.exchange().fails()

    def close(self) -> None:
        """Has the client closed; does not wait for it."""
        if not self._closing:
            self._closing = True
            self.command("close")

    def closed(self) -> bool:
        """Whether the client says that it is closed."""
        return self._closed

    def command(self, word: str, *words: object) -> None:
        self.note("driver", word, *words)
        self._driver.send(word, *map(str, words))

    # The end of the case

    def finish(self) -> None:
        """The client is closed, and with it the plugin."""
        self.close()
        self._await_closed()
        if self._plugin and not self._plugin.told_to_end:
            raise Unexpected("the client says that it is closed, and the plugin was not told to end")

    def abandon(self) -> bool:
        """Closes the client, whatever state the failed case has left. Whether it is of use for another."""
        self._sloppy = True
        try:
            if self._plugin:
                self._plugin.close()
            self.close()
            self._await_closed()
        except Unexpected:
            return False
        return True

    def dispose(self) -> None:
        """Nothing is left of the run."""
        while self._open:
            os.close(self._open.pop())
        if self._plugin:
            self._plugin.close()
        if self._listener:
            self.pump.forget(self._listener.fileno())
            self._listener.close()
            os.unlink(self._address)

    def note(self, *words: object) -> None:
        """Remembers what was said, in one line."""
        line = " ".join(map(str, words)).encode("unicode_escape").decode()
        self.notes.append(line if len(line) <= NOTE else f"{line[:NOTE]} ...")

    def _await_closed(self) -> None:
        self.pump.until(self.closed, "the client to be closed", LONG * self.pump.timeout)

    def _begin(self, word: str, method: str, *rest: object) -> Exchange:
        number = next(_numbers)
        exchange = Exchange(self, number, f"/v2/{number}/tags/list")
        self._exchanges[number] = exchange
        self.command(word, number, method, exchange.target, *rest)
        return exchange

    def _accept(self) -> None:
        assert self._listener
        connection, _ = self._listener.accept()
        if self._sloppy:  # it comes too late
            connection.close()
            return
        if self._plugin:
            connection.close()
            raise Unexpected("the client started a second plugin")
        self._plugin = Plugin(self.pump, connection, self.note)

    def _report(self, words: list[str]) -> None:
        self.note("user:", *words)
        try:
            self._take(words[0], words[1:])
        except (ValueError, IndexError) as error:
            raise Unexpected(f"the driver wrote a report that cannot be read: {words} ({error})") from None

    def _take(self, word: str, rest: list[str]) -> None:
        match word:
            case "closed":
                self._closed = True
            case "failed":
                self.failure = Failure(rest[0], " ".join(rest[1:]))
            case "unsupported":
                if not self._sloppy:
                    raise Unsupported(rest[0])
            case "head" | "content" | "end" | "written" | "error":
                if exchange := self._exchanges.get(int(rest[0])):
                    exchange.report(word, rest[1:])
            case _:
                raise ValueError(f"unknown word {word}")
