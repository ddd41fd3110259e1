"""Serves a WSGI application over gRPC, from the host's handshake to the end."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import threading
from contextlib import suppress

from udist_plugin.errors import ConfigurationError, StorageError, TransportError
from udist_plugin.link.fds import write_all
from udist_plugin.server.gate import Gate
from udist_plugin.server.grpc.exchange import CallExchange
from udist_plugin.server.grpc.handshake import handshake_line, refusal, refusal_line
from udist_plugin.server.grpc.host import Presence, watch
from udist_plugin.server.grpc.sockets import SocketFolder, parent_folder
from udist_plugin.server.grpc.stdio import STDERR, Mirror
from udist_plugin.server.link import MEMORY
from udist_plugin.server.log import Log
from udist_plugin.server.stdio import EX_CONFIG
from udist_plugin.server.wsgi import serve_exchange
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.wire.windows import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from udist_plugin.server.grpc.library import Call
    from udist_plugin.server.stdio import Service

SHUTDOWN: Final = 1.5
"""Seconds for open calls after go-plugin's ``Shutdown``: after two it kills."""
HINT: Final = "gRPC needs packages that are not installed; pip install '.[grpc]' in a checkout of udist"


class Host:
    """The host as the process sees it: what it said when it started this one, and where it listens."""

    def __init__(self, environ: Mapping[str, str], parent: int, keep: float) -> None:
        """``parent`` is its process id; ``keep`` is for how many seconds the server outlives it."""
        self.environ = environ
        self.parent = parent
        self.keep = keep
        self.output = os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)  # what the host reads itself: a terminal, or its own caller
        os.close(null)

    def say(self, line: str) -> bool:
        """Whether the host was told."""
        try:
            write_all(self.output, [line.encode(errors="backslashreplace")])
        except OSError:
            return False
        return True


def serve(host: Host, build: Callable[[Log], Service], at_end: Callable[[], None] = lambda: None) -> NoReturn:
    """Serves until the host wants it no more, or is gone, and ends the process.

    ``build`` makes the service, and configures the log. Exit status: 0 when the host or a signal told it to
    end, 78 for a refused configuration, 1 for whatever else. The garbage collector, which a caller may have
    disabled for the start, is on from the handshake. ``at_end`` is called when all is served.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # from the terminal: it is the host's to decide
    server = _Server(host, build, at_end)
    server.open()
    server.exit(server.run())


class _Server:
    def __init__(self, host: Host, build: Callable[[Log], Service], at_end: Callable[[], None]) -> None:
        self._host = host
        self._build = build
        self._at_end = at_end
        self._log = Log()
        self._presence = Presence()
        self._mirror = Mirror()
        self._numbers = itertools.count(1)
        self._budget = Budget(MEMORY)
        self._lock = threading.Lock()
        self._gate = Gate()
        self._folder: SocketFolder | None = None
        self._heard, self._tell = os.pipe()

    def open(self) -> None:
        """Returns once the host knows where the server is; ends the process if there can be none."""
        host, log = self._host, self._log
        watch(host.parent, host.keep, self._presence, self._leave)
        if problem := refusal(host.environ):
            self._refuse(problem, 1)
        try:
            self._service = service = self._build(log)
        except (ConfigurationError, StorageError) as error:
            self._refuse(str(error), EX_CONFIG)
        try:
            from udist_plugin.server.grpc.library import ROUND_TRIP, Server
        except ModuleNotFoundError as error:
            self._refuse(f"{HINT} ({error})", 1)
        self._mirror.take_descriptor(1)
        log.on_unread = lambda text: self._mirror.add(STDERR, text)
        methods = {
            ROUND_TRIP: self._round_trip,
            "/plugin.GRPCController/Shutdown": self._shutdown,
            "/plugin.GRPCStdio/StreamStdio": self._mirror.stream,
        }
        present = {path: self._present(act) for path, act in methods.items()}
        self._server = Server(present, service.max_streams)
        signal.signal(signal.SIGTERM, lambda *_: os.write(self._tell, b"t"))
        try:
            self._folder = folder = SocketFolder(parent_folder(host.environ))
        except OSError as error:
            self._refuse(f"no folder for a socket: {error}", 1)
        if not self._server.listen(folder.socket):
            self._refuse(f"{folder.socket}: cannot listen there", 1)
        folder.protect()
        self._server.start()
        if not host.say(handshake_line(folder.socket, host.environ)):
            self._leave()

    def run(self) -> float:
        """Serves until told to end; how many seconds open calls have then."""
        gc.freeze()
        gc.enable()
        self._service.start(self._log.record)
        self._service.warm_up()
        assert self._folder
        self._folder.remove_abandoned()
        patience = self._service.drain_timeout
        return patience if os.read(self._heard, 1) == b"t" else min(patience, SHUTDOWN)

    def exit(self, patience: float) -> NoReturn:
        """Lets open calls end, and ends the process."""
        self._mirror.close()
        if not self._server.stop(patience).wait(patience + 1):
            self._log.record("warn", f"calls were still open after {patience:g} s")
        self._service.close()
        self._at_end()
        self._end(0)

    def _present(self, act: Callable[[Call], None]) -> Callable[[Call], None]:
        """The host is present meanwhile; what it has given up needs no more words."""

        def run(call: Call) -> None:
            with self._presence.call(), suppress(TransportError):
                act(call)

        return run

    def _round_trip(self, call: Call) -> None:
        with self._lock:
            number = next(self._numbers)
        exchange = CallExchange(number, call, self._budget, self._lock)
        try:
            exchange.accept()
        except TransportError as error:
            self._log.record("info", f"call {number}: {error}")
            exchange.finish(error.code, str(error), unprocessed=error.retryable)
            return
        serve_exchange(exchange, self._service, self._log, frozenset(), self._gate)

    def _shutdown(self, call: Call) -> None:
        call.receive()
        call.send(b"")
        call.finish("OK", "", unprocessed=False)
        os.write(self._tell, b"s")

    def _refuse(self, problem: str, status: int) -> NoReturn:
        for line in problem.splitlines():
            self._log.record("error", line)
        self._host.say(refusal_line(problem))
        self._end(status)

    def _leave(self) -> NoReturn:
        self._log.record("warn", "the host is gone")
        self._end(1)

    def _end(self, status: int) -> NoReturn:
        """Ends the process now: no thread holds it up."""
        if self._folder:
            self._folder.remove()
        self._log.drain(0.5)
        os._exit(status)
