"""A registry at work: a WSGI application, and the jobs that run beside its requests."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from udist_plugin.exhaustion import exhausted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Protocol, Self

    from udist_plugin.config import Configuration
    from udist_plugin.http_api.app import Application
    from udist_plugin.registry import Registry

    WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
    Record = Callable[[str, str], object]
    """Takes a level (debug, info, warn, error) and a message for the log."""

    class Job(Protocol):
        """What runs beside requests from ``start`` to ``close``; closing twice is closing once."""

        def start(self, record: Record, /) -> None: ...

        def close(self) -> None: ...


class RegistryApp:
    """A WSGI application (PEP 3333) over ``registry``. Close it, or use it as a context manager.

    It is handed its parts. ``application`` answers every request that ``answer``, the middleware in front of
    it, lets through. Each of ``jobs``, by the section that asks for it, makes a job after the first answer,
    or ``None`` where there is none to do. ``warnings`` and ``notices`` are what the log is told of the
    configuration: mistakes, and what has no effect here. ``drain_timeout`` is in seconds.
    """

    def __init__(
        self,
        configuration: Configuration,
        registry: Registry,
        application: Application,
        answer: WSGI,
        jobs: Mapping[str, Callable[[], Job | None]],
        warnings: Sequence[str],
        notices: Sequence[str],
    ) -> None:
        self.configuration = configuration
        self.registry = registry
        self.application = application
        self.drain_timeout = configuration.http.draintimeout
        self._answer = answer
        self._make_jobs = jobs
        self._jobs: list[Job] = []
        self.warnings = warnings
        self._notices = notices

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._answer(environ, start_response)

    def log_access(self, write: Callable[[str], object]) -> None:
        """From now on gives ``write`` a line for each request, unless the configuration wants none."""
        if not self.configuration.log.accesslog.disabled:
            from udist_plugin.http_api.middleware.access_log import AccessLog

            self._answer = AccessLog(self._answer, write)

    def start(self, record: Record) -> None:
        """Logs what there is to say about the configuration, and starts the jobs. One for which the system
        has no descriptor or thread left is done without."""
        for message in self.warnings:
            record("warn", message)
        for message in self._notices:
            record("info", message)
        for name, make in self._make_jobs.items():
            try:
                self._start_job(make, record)
            except Exception as error:
                if not exhausted(error):
                    raise
                record("warn", f"{name} will not run: {error}")

    def warm_up(self) -> None:
        """Loads what only later requests need."""
        with suppress(OSError):  # there is no descriptor left: what is needed is loaded when it is
            self.application.warm_up()

    def close(self) -> None:
        """Ends the jobs; closing twice is closing once."""
        for job in reversed(self._jobs):
            job.close()

    def _start_job(self, make: Callable[[], Job | None], record: Record) -> None:
        if (job := make()) is not None:
            self._jobs.append(job)
            job.start(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
