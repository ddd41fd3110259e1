"""The driver of the Python client, for the conformance runner (``udist help callers``).

    python -m tests.clients.callers.driver

``asynchronous`` has the same for tasks of an event loop.
"""

from __future__ import annotations

import argparse
import queue
import sys
import tempfile
import threading
import zlib
from typing import TYPE_CHECKING, Any

from tests.clients.callers.faults import FAULTS, plant
from udist_plugin import Plugin, TransportError
from udist_plugin.client import slots
from udist_plugin.client.call import Call
from udist_plugin.testing.callers.lines import to_line, to_words
from udist_plugin.testing.callers.pattern import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO


class Driver:
    """Carries out commands, each at once; threads wait. ``exchange`` makes one, ``end`` closes a plugin."""

    def __init__(self, reports: BinaryIO, exchange: type[Exchange], end: Callable[[Plugin], None]) -> None:
        self.plugin: Starting | None = None
        self.exchanges: dict[str, Exchange] = {}
        self._make = exchange
        self._end = end
        self._reports = reports
        self._writing = threading.Lock()

    def obey(self, word: str, *rest: str) -> None:
        match word:
            case "start" | "share":
                self.exchanges.clear()
                self.plugin = Starting(self, rest, files=word == "share")
            case "exchange" | "open":
                self.exchanges[rest[0]] = self._make(self, word, *rest)
            case "write":
                self.exchanges[rest[0]].content.put(int(rest[1]))
            case "end" if len(rest) == 1:
                self.exchanges[rest[0]].content.put(0)
            case "read":
                self.exchanges[rest[0]].reads.put(-1 if rest[1] == "*" else int(rest[1]))
            case "cancel":
                self.exchanges[rest[0]].cancel()
            case "close":
                threading.Thread(target=self._close, args=(self.plugin,), daemon=True).start()
            case _:
                self.report("unsupported", "trailers" if word == "end" else word)

    def report(self, *words: object) -> None:
        with self._writing:
            self._reports.write(to_line(*map(str, words)))
            self._reports.flush()

    def _close(self, starting: Starting | None) -> None:
        plugin = starting.plugin() if starting else None
        if plugin:
            self._end(plugin)
        self.report("closed")


class Starting:
    """A plugin that is being started, in a thread of its own."""

    def __init__(self, driver: Driver, command: tuple[str, ...], *, files: bool) -> None:
        self._driver = driver
        self._files = files
        self._plugin: Plugin | None = None
        self._thread = threading.Thread(target=self._start, args=(command,), daemon=True)
        self._thread.start()

    def plugin(self) -> Plugin | None:
        """Waits for the plugin; ``None`` if it could not be started, which was reported."""
        self._thread.join()
        return self._plugin

    def _start(self, command: tuple[str, ...]) -> None:
        try:
            self._plugin = Plugin(command=command, files=self._files)
        except TransportError as error:
            self._driver.report("failed", error.code, str(error))


class Exchange:
    """One exchange, in a thread of its own. ``content`` and ``reads`` get numbers of bytes."""

    def __init__(
        self, driver: Driver, word: str, number: str, method: str, target: str, length: str, *rest: str
    ) -> None:
        self.content: queue.Queue[int] = queue.Queue()
        self.reads = self.queue()
        self.driver = driver
        self._number = number
        self._call: Call | None = None
        self._failed = self._cancelled = False
        timeout, fields = ("0", rest) if word == "exchange" else (rest[0], rest[1:])
        headers = [(name, value) for name, _, value in (field.partition(":") for field in fields)]
        body: Any = None
        if word == "exchange":
            self.reads.put(-1)
            if length.isdigit():
                body = pattern(int(length))
            elif "@" in length:
                body = file_with(*map(int, length.split("@")))
            elif length == "+":
                body = b""
        elif length != "-":
            body = Content(self)
            if length.isdigit():
                headers.append(("content-length", length))
        self.begin(method, target, headers, body, int(timeout) / 1000 or None)

    def queue(self) -> Any:
        """For the sizes to read."""
        return queue.Queue()

    def begin(self, *arguments: Any) -> None:
        threading.Thread(target=self._run, args=arguments, daemon=True).start()

    def cancel(self) -> None:
        self._cancelled = True
        if self._call:
            self._call.cancel()

    def report(self, word: str, *rest: object) -> None:
        self.driver.report(word, self._number, *rest)

    def report_head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.report("head", status, *_words(headers))

    def report_content(self, content: bytes, size: int, trailers: Callable[[], Any]) -> bool:
        """Whether that was all: what was to be read, ``size``, is negative for everything."""
        self.report("content", len(content), f"{zlib.crc32(content):08x}")
        ended = size < 0 or len(content) < size
        if ended:
            self.report("end", *_words(trailers()))
        return ended

    def report_error(self, error: TransportError) -> None:
        """Once: whoever cancels may be told of it beside whoever waits."""
        if not self._failed:
            self._failed = True
            self.report("error", error.code, "yes" if error.retryable else "no", str(error))

    def _run(self, method: str, target: str, headers: Any, body: Any, timeout: float | None) -> None:
        assert self.driver.plugin
        plugin = self.driver.plugin.plugin()
        if not plugin:
            return
        self._call = Call(
            plugin.link,
            plugin,
            method,
            target,
            headers,
            body,
            timeout=timeout,
            patience=None,
            slot_timeout=None,
            scheme="http",
            authority="localhost",
            follow=False,
        )
        if self._cancelled:  # before there was anything to cancel
            self._call.cancel()
        try:
            response = self._call.response()
            self.report_head(response.status, response.headers)
            ended = False
            while not ended:
                size = self.reads.get()
                ended = self.report_content(response.read(size), size, lambda: response.trailers)
        except TransportError as error:
            self.report_error(error)


def file_with(length: int, offset: int) -> BinaryIO:
    """A file with content behind ``offset`` bytes, where it is positioned."""
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the request may outlive this
    file.write(bytes(offset) + pattern(length))
    file.seek(offset)
    return file


class Content:
    """A request's content, as its user gives it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._left = self._given = 0

    def read(self, size: int) -> bytes:
        if not self._left:
            if self._given:
                self._exchange.report("written")
            self._left = self._exchange.content.get()
        size = min(size, self._left)
        self._left -= size
        self._given += size
        if not size:
            self._exchange.report("written")
        return pattern(size, self._given - size)


def _words(fields: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"{name}:{value}" for name, value in fields)


def main(exchange: type[Exchange] = Exchange, end: Callable[[Plugin, float], None] = Plugin.close) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grace", type=float, default=10.0, help="seconds for a plugin to end")
    parser.add_argument("--unread", type=float, help="seconds without a frame before closing gives up")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="plant this one into the client")
    options = parser.parse_args()
    if options.unread:
        slots.UNREAD = options.unread  # type: ignore[misc]
    if options.fault:
        plant(options.fault)
    driver = Driver(sys.stdout.buffer, exchange, lambda plugin: end(plugin, options.grace))
    for line in sys.stdin.buffer:
        driver.obey(*to_words(line.rstrip(b"\n")))


if __name__ == "__main__":
    main()
