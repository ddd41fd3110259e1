"""A registry at work: a WSGI application, and the jobs that run beside its requests."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

from udist_plugin.errors import UdistError, Unavailable
from udist_plugin.exhaustion import exhausted
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, Protocol, Self

    from udist_plugin.config import Configuration
    from udist_plugin.http_api.app import Application
    from udist_plugin.lazy_registry import LazyRegistry
    from udist_plugin.wrappers.checked import CheckedRegistry

    WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
    Record = Callable[[str, str], object]
    """Takes a level (debug, info, warn, error) and a message for the log."""

    class Job(Protocol):
        """What runs beside requests from ``start`` to ``close``; closing twice is closing once."""

        def start(self, record: Record, /) -> None: ...

        def close(self) -> None: ...


class Parts:
    """What a registry is made of. ``application`` answers every request that ``answer``, the middleware in
    front of it, lets through. Each of ``jobs``, by the section that asks for it, makes a job after the first
    answer, or ``None`` where there is none to do. ``waits`` is ``RegistryApp.wait_within``. ``watch`` gives
    what records in the log, and tells others of the records."""

    def __init__(
        self,
        registry: LazyRegistry,
        application: Application,
        answer: WSGI,
        jobs: Mapping[str, Callable[[], Job | None]],
        waits: Callable[[Callable[[], AbstractContextManager[None]]], bool],
        watch: Callable[[Record], Record],
    ) -> None:
        self.registry = registry
        self.application = application
        self.answer = answer
        self.jobs = jobs
        self.waits = waits
        self.watch = watch


class RegistryApp:
    """A WSGI application (PEP 3333) over a registry. Close it, or use it as a context manager.

    ``parts`` are this process's. A child that was forked, as servers make theirs, uses nothing of them: no
    thread came with it, a lock may be held and connections are the parent's too. With its first request it
    gets parts of its own from ``make_parts``, and starts their jobs.

    ``warnings`` and ``notices`` are what the log is told of the configuration: mistakes, and what has no
    effect here. ``drain_timeout`` is in seconds; ``max_streams`` is how many requests a plugin serves at
    once.
    """

    _answer: WSGI

    def __init__(
        self,
        configuration: Configuration,
        parts: Parts,
        make_parts: Callable[[], Parts],
        warnings: Sequence[str],
        notices: Sequence[str],
    ) -> None:
        self.configuration = configuration
        self.drain_timeout = configuration.http.draintimeout
        self.max_streams = configuration.udist.maxstreams
        self.spin = configuration.udist.spin / 1e6
        self.warnings = warnings
        self._notices = notices
        self._make_parts = make_parts
        self._record: Record | None = None
        self._write_access: Callable[[str], object] | None = None
        self._renewing = threading.Lock()
        self._take(parts)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._process != os.getpid():
            try:
                self._renew()
            except UdistError as error:
                return self._refuse(error, environ, start_response)
        return self._answer(environ, start_response)

    @property
    def registry(self) -> CheckedRegistry:
        """The registry itself, for callers in this process."""
        from udist_plugin.wrappers.checked import CheckedRegistry

        if self._process != os.getpid():
            self._renew()
        return CheckedRegistry(self._registry.load())

    def log_access(self, write: Callable[[str], object]) -> None:
        """From now on gives ``write`` a line for each request, unless the configuration wants none."""
        if not self.configuration.log.accesslog.disabled:
            self._write_access = write
            self._answer = self._logged(self._answer)

    def start(self, record: Record) -> None:
        """Logs what there is to say about the configuration, and starts the jobs. One for which the system
        has no descriptor or thread left is done without."""
        self._record = record
        record = self._watch(record)
        for message in self.warnings:
            record("warn", message)
        for message in self._notices:
            record("info", message)
        self._start_jobs(record)

    def wait_within(self, context: Callable[[], AbstractContextManager[None]]) -> bool:
        """From now on requests wait for disks within ``context``; ``False`` where they wait for others too,
        such as services."""
        return self._waits(context)

    def warm_up(self) -> None:
        """Loads what only later requests need."""
        with suppress(OSError):  # there is no descriptor left: what is needed is loaded when it is
            self._registry.load()
            self.application.warm_up()

    def close(self) -> None:
        """Ends this process's jobs; closing twice is closing once."""
        if self._process == os.getpid():
            for job in reversed(self._jobs):
                job.close()

    def _take(self, parts: Parts) -> None:
        self._registry = parts.registry
        self.application = parts.application
        self._answer = self._logged(parts.answer)
        self._make_jobs = parts.jobs
        self._waits = parts.waits
        self._watch = parts.watch
        self._jobs: list[Job] = []
        self._process = os.getpid()

    def _logged(self, answer: WSGI) -> WSGI:
        if self._write_access is None:
            return answer
        from udist_plugin.http_api.middleware.access_log import AccessLog

        return AccessLog(answer, self._write_access)

    def _renew(self) -> None:
        """Raises what opening the store raises."""
        with self._renewing:
            if self._process == os.getpid():
                return
            self._take(self._make_parts())
            if self._record is not None:
                self._start_jobs(self._watch(self._record))

    def _refuse(
        self, error: UdistError, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Until the store can be opened again, the next request tries to."""
        from udist_plugin.http_api.errors import error_response

        environ["wsgi.errors"].write(f"this worker cannot open the store: {error}\n")
        return error_response(Unavailable()).send(environ, start_response)

    def _start_jobs(self, record: Record) -> None:
        for name, make in self._make_jobs.items():
            try:
                self._start_job(make, record)
            except Exception as error:
                if not exhausted(error):
                    raise
                record("warn", f"{name} will not run: {error}")

    def _start_job(self, make: Callable[[], Job | None], record: Record) -> None:
        if (job := make()) is not None:
            self._jobs.append(job)
            job.start(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
