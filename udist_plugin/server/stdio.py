"""Serves a WSGI application over the standard streams, from the handshake to the last answer."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ConfigurationError, StorageError, TransportError, UdistError
from udist_plugin.link.fds import reader_gone
from udist_plugin.server.link import EndOfRequests, ServerLink
from udist_plugin.server.log import Log
from udist_plugin.server.warming import WarmUp
from udist_plugin.server.workers import Workers
from udist_plugin.server.wsgi import serve_exchange
from udist_plugin.version import __version__
from udist_plugin.wire.constants import VERSION
from udist_plugin.wire.frames import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NoReturn, Protocol

    from udist_plugin.link.exchange import Exchange

    class Service(Protocol):
        """A WSGI application, how it wants to be run, and what runs beside its requests.

        ``drain_timeout`` is in seconds; ``warnings`` are for the caller to show; ``start`` gets a function
        that logs a message at a level; ``warm_up`` loads what only later requests need.
        """

        drain_timeout: float
        warnings: Sequence[str]

        def __call__(
            self, environ: dict[str, Any], start_response: Callable[..., Any], /
        ) -> Iterable[bytes]: ...

        def start(self, record: Callable[[str, str], object]) -> None: ...

        def warm_up(self) -> None: ...

        def close(self) -> None: ...


EX_CONFIG: Final = 78
EX_PROTOCOL: Final = 76
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
MAX_STREAMS: Final = 64
SWITCH: Final = 0.0005
"""Seconds a thread may hold the interpreter while another waits: threads that only move bytes give it up and
take it back so fast that one with a small reply to send would mostly miss its turn."""
SETTLE: Final = 0.5
"""Seconds after which what can wait for the first answer is started without one."""
PAUSE: Final = 0.02
"""Seconds that a caller has to close after its first answer: one that wants no more is spared the warm-up."""
FAREWELL: Final = 1.0
"""Seconds for the go-away to be written: a caller that reads nothing must not hold up the end."""
WARNINGS_MAX: Final = 32 << 10
"""Bytes of warnings in the settings, which are one frame."""
DRAIN_POLL: Final = 0.1
"""Seconds between looks at whether a caller that closed its end still reads."""


def serve(source: int, sink: int, build: Callable[[Settings, Log], Service]) -> NoReturn:
    """Serves until the caller is done, and ends the process.

    ``build`` turns the caller's settings into the service, and configures the log; ``ConfigurationError`` and
    ``StorageError`` from it are reported to the caller. Exit status: 0 after a drain, 78 for a refused
    configuration or version, 76 for a broken protocol, 1 when the drain took too long or the caller died. The
    garbage collector, which a caller may have disabled for the start, is on from the first answer.
    """
    sys.setswitchinterval(SWITCH)
    log = Log()
    link = ServerLink(source, sink, MAX_STREAMS)
    service, told = _handshake(link, log, build)
    capabilities = frozenset(link.settings().capabilities)
    warm_up = WarmUp(service.warm_up)

    def serve_one(exchange: Exchange) -> None:
        warm_up.before_request()
        serve_exchange(link, exchange, service, log, capabilities)

    workers = Workers(link, serve_one, MAX_STREAMS + 1)
    workers.start()
    _drain_when_told(told, link, workers)
    workers.served_one.wait(SETTLE)
    gc.freeze()
    gc.enable()
    service.start(log.record)
    if not workers.closed.wait(PAUSE):
        warm_up.now()
    workers.closed.wait()
    status = _drain(workers, sink, service.drain_timeout, log)
    service.close()
    _exit(status, log)


def _handshake(link: ServerLink, log: Log, build: Callable[[Settings, Log], Service]) -> tuple[Service, int]:
    """The service, and what ``_heed_signals`` gives: before the ready mark a signal ends the process."""
    try:
        settings = link.settings()
        service = build(settings, log)
        told = _heed_signals()
        link.send_settings(
            Settings(
                [VERSION],
                MAX_STREAMS,
                implementation=f"udist-python/{__version__}",
                process_id=os.getpid(),
                warnings=_fitting(service.warnings),
            )
        )
    except EndOfRequests:
        _exit(0, log)
    except (ConfigurationError, StorageError) as error:
        _refuse(link, log, "INVALID_ARGUMENT", error, EX_CONFIG)
    except TransportError as error:
        _refuse(
            link, log, error.code, error, EX_CONFIG if error.code == "FAILED_PRECONDITION" else EX_PROTOCOL
        )
    except OSError as error:
        log.record("error", f"the caller is gone: {error}")
        _exit(1, log)
    return service, told


def _fitting(warnings: Sequence[str]) -> list[str]:
    """Those that the settings have room for."""
    fitting: list[str] = []
    room = WARNINGS_MAX
    for warning in map(_as_unicode, warnings):
        room -= len(warning.encode())
        if room < 0:
            left_out = len(warnings) - len(fitting)
            return [*fitting, f"{left_out} more warnings are in the plugin's log"]
        fitting.append(warning)
    return fitting


def _as_unicode(text: str) -> str:
    """Without the surrogates that variables of any bytes have: UTF-8 cannot express them."""
    return text.encode(errors="backslashreplace").decode()


def _refuse(link: ServerLink, log: Log, code: str, error: UdistError, status: int) -> NoReturn:
    for line in str(error).splitlines():
        log.record("error", line)
    try:
        link.go_away(code, _as_unicode(str(error)))
    except OSError:
        status = 1
    _exit(status, log)


def _drain(workers: Workers, sink: int, timeout: float, log: Log) -> int:
    """Waits for the open streams; a caller that reads no more ends the wait at once."""
    cause = workers.ended_by
    if not isinstance(cause, EndOfRequests | None):
        log.record("error", f"the connection broke: {cause}")
        return EX_PROTOCOL if isinstance(cause, TransportError) and cause.code == "INTERNAL" else 1
    end = time.monotonic() + timeout
    while not workers.finished.wait(DRAIN_POLL):
        if reader_gone(sink):
            log.record("warn", "the caller died; its open requests were dropped")
            return 1
        if time.monotonic() > end:
            log.record("warn", f"requests were still open after draining for {timeout:g} s")
            return 1
    return 0


def _heed_signals() -> int:
    """A descriptor that is readable once the plugin was told to end. A handler interrupts whatever the main
    thread does, so it takes no lock: a thread does the rest."""
    told, tell = os.pipe()
    for number in SIGNALS:
        signal.signal(number, lambda *_: os.write(tell, b"\0"))
    return told


def _drain_when_told(told: int, link: ServerLink, workers: Workers) -> None:
    def go_away() -> None:
        with contextlib.suppress(OSError):
            link.go_away("UNAVAILABLE", "the plugin was told to end")

    def drain() -> None:
        os.read(told, 1)
        farewell = threading.Thread(target=go_away, name="udist-farewell", daemon=True)
        with contextlib.suppress(RuntimeError):  # the system gives no more threads
            farewell.start()
            farewell.join(FAREWELL)
        workers.close()

    try:
        threading.Thread(target=drain, name="udist-signals", daemon=True).start()
    except RuntimeError:  # the system gives no more threads: then a signal ends the process at once
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)


def _exit(status: int, log: Log) -> NoReturn:
    """Ends the process now: no thread that still waits for a disk or a caller holds it up."""
    log.drain(0.5)
    os._exit(status)
