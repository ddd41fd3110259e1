"""Serves a WSGI application over the standard streams, from the handshake to the last answer."""

from __future__ import annotations

import gc
import os
import sys
import time

from udist_plugin.errors import Cancelled, ConfigurationError, StorageError, TransportError, UdistError
from udist_plugin.link.fds import reader_gone
from udist_plugin.link.output import SMALL
from udist_plugin.server.gate import Gate
from udist_plugin.server.link import EndOfRequests, ServerLink
from udist_plugin.server.log import Log
from udist_plugin.server.warming import WarmUp
from udist_plugin.server.watch import LOOK, Watch
from udist_plugin.server.workers import Workers
from udist_plugin.server.wsgi import serve_exchange, trace
from udist_plugin.typed import TYPE_CHECKING, Final
from udist_plugin.version import IMPLEMENTATION
from udist_plugin.wire.constants import DECLARED_CREDIT, FILES, INITIAL_STREAMS, VERSION
from udist_plugin.wire.frames import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, NoReturn, Protocol

    from udist_plugin.server.link import ServerExchange

    class Service(Protocol):
        """A WSGI application, how it wants to be run, and what runs beside its requests.

        ``drain_timeout`` is in seconds; ``max_streams`` is how many requests are served at once; ``spin`` is
        for how many seconds the next one is looked for before a read that blocks; ``warnings`` are for the
        caller to show; ``start`` gets a function that logs a message at a level; ``warm_up`` loads what only
        later requests need. ``wait_within`` has requests wait for disks within a context of the server's;
        ``False`` where they wait for more.
        """

        drain_timeout: float
        max_streams: int
        spin: float
        warnings: Sequence[str]

        def __call__(
            self, environ: dict[str, Any], start_response: Callable[..., Any], /
        ) -> Iterable[bytes]: ...

        def start(self, record: Callable[[str, str], object]) -> None: ...

        def warm_up(self) -> None: ...

        def wait_within(self, context: Callable[[], AbstractContextManager[None]], /) -> bool: ...

        def close(self) -> None: ...


EX_CONFIG: Final = 78
EX_PROTOCOL: Final = 76
SWITCH: Final = 0.0005
"""Seconds a thread may hold the interpreter while another waits: threads that only move bytes give it up and
take it back so fast that one with a small reply to send would mostly miss its turn."""
ARRIVAL: Final = 0.005
"""Seconds within which content that is small mostly is there, since it comes right behind its head."""
SETTLE: Final = 0.5
"""Seconds after which what can wait for the first answer is started without one."""
PAUSE: Final = 0.02
"""Seconds that a caller has to close after its first answer: one that wants no more is spared the warm-up."""
WARNINGS_MAX: Final = 32 << 10
"""Bytes of warnings in the settings, which are one frame."""


def serve(
    source: int,
    sink: int,
    build: Callable[[Settings, Log], Service],
    at_end: Callable[[], None] = lambda: None,
    *,
    shares_files: bool = True,
) -> NoReturn:
    """Serves until the caller is done, and ends the process.

    ``build`` turns the caller's settings into the service, and configures the log; ``ConfigurationError`` and
    ``StorageError`` from it are reported to the caller. Exit status: 0 after a drain, 78 for a refused
    configuration or version, 76 for a broken protocol, 1 when the drain took too long or the caller died. The
    garbage collector, which a caller may have disabled for the start, is on from the first answer. ``at_end``
    is called when all is served. Without ``shares_files`` no content is in files of either side.
    """
    sys.setswitchinterval(SWITCH)
    log = Log()
    link = ServerLink(source, sink)
    watch = Watch(link, lambda status: _exit(status, log))
    plugin = _Plugin(link, log, watch, build, shares_files=shares_files)
    workers = Workers(link, plugin.set_up, plugin.serve)
    workers.start()
    watch.until_ready()
    watch.then(workers.close)
    workers.served_one.wait(SETTLE)
    gc.freeze()
    gc.enable()
    service = plugin.service
    service.start(log.record)
    if not workers.closed.wait(PAUSE):
        plugin.warm_up.now()
    workers.closed.wait()
    status = _drain(workers, sink, service.drain_timeout, log)
    service.close()
    at_end()
    _exit(status, log)


class _Plugin:
    """The service that ``build`` makes of the caller's settings, and what each request is served with."""

    service: Service
    warm_up: WarmUp

    def __init__(
        self,
        link: ServerLink,
        log: Log,
        watch: Watch,
        build: Callable[[Settings, Log], Service],
        *,
        shares_files: bool,
    ) -> None:
        self._link = link
        self._log = log
        self._watch = watch
        self._build = build
        self._shares_files = shares_files
        self._capabilities: frozenset[str] = frozenset()
        self._gate = Gate()
        self._gated = False

    def set_up(self) -> None:
        """Returns once the caller knows that the plugin is ready; ends the process if it cannot be."""
        log = self._log
        try:
            self._shake_hands()
        except EndOfRequests as end:
            log.record("warn", f"{end} before its settings")
            _exit(1 if reader_gone(self._link.output.fd) else 0, log)
        except Cancelled as error:
            log.record("error", str(error))
            _exit(1, log)
        except OSError as error:
            log.record("error", f"the caller is gone: {error}")
            _exit(1, log)
        except (ConfigurationError, StorageError) as error:
            self._refuse("INVALID_ARGUMENT", error, EX_CONFIG)
        except TransportError as error:
            of_version = error.code == "FAILED_PRECONDITION"
            self._refuse(error.code, error, EX_CONFIG if of_version else EX_PROTOCOL)
        except BaseException as error:  # a fault of ours, of which nobody hears when a thread ends
            log.write(trace(error))
            _exit(1, log)

    def serve(self, exchange: ServerExchange) -> None:
        self.warm_up.before_request()
        if self._gated and exchange.has_arrived(SMALL, ARRIVAL):
            self._gate.enter()
        try:
            serve_exchange(exchange, self.service, self._log, self._capabilities, self._gate)
        finally:
            self._gate.leave()

    def _shake_hands(self) -> None:
        settings = self._link.settings()
        self._capabilities = frozenset(settings.capabilities)
        self._link.caller = _sharing_caller(settings) if self._shares_files else 0
        self.service = self._build(settings, self._log)
        self._link.spin = self.service.spin
        self._gated = self.service.wait_within(self._gate.outside)
        self.warm_up = WarmUp(self.service.warm_up)
        with self._watch.last_word:
            # beyond the first streams, callers that do not declare their credit could fill the memory
            declares = self._link.connection.declares_credit
            self._link.send_settings(
                Settings(
                    [VERSION],
                    self.service.max_streams if declares else INITIAL_STREAMS,
                    [*([FILES] if self._link.caller else ()), *([DECLARED_CREDIT] if declares else ())],
                    implementation=IMPLEMENTATION,
                    process_id=os.getpid(),
                    warnings=_fitting(self.service.warnings),
                )
            )
            self._watch.ready()

    def _refuse(self, code: str, error: UdistError, status: int) -> NoReturn:
        for line in str(error).splitlines():
            self._log.record("error", line)
        self._watch.last_word.acquire()  # for good
        try:
            self._link.go_away(code, _as_unicode(str(error)))
        except OSError:
            status = 1
        _exit(status, self._log)


def _sharing_caller(settings: Settings) -> int:
    """The caller's process id, if it shares files and is this process's parent and user; else 0."""
    parent = os.getppid()
    if sys.platform != "linux" or FILES not in settings.capabilities or settings.process_id != parent:
        return 0
    try:
        return parent if os.stat(f"/proc/{parent}").st_uid == os.geteuid() else 0
    except OSError:
        return 0


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


def _drain(workers: Workers, sink: int, timeout: float, log: Log) -> int:
    """Waits for the open streams; a caller that reads no more ends the wait at once."""
    cause = workers.ended_by
    if not isinstance(cause, EndOfRequests | None):
        log.record("error", f"the connection broke: {cause}")
        return EX_PROTOCOL if isinstance(cause, TransportError) and cause.code == "INTERNAL" else 1
    end = time.monotonic() + timeout
    while not workers.finished.wait(LOOK):
        if reader_gone(sink):
            log.record("warn", "the caller died; its open requests were dropped")
            return 1
        if time.monotonic() > end:
            log.record("warn", f"requests were still open after draining for {timeout:g} s")
            return 1
    return 0


def _exit(status: int, log: Log) -> NoReturn:
    """Ends the process now: no thread that still waits for a disk or a caller holds it up."""
    log.drain(0.5)
    os._exit(status)
