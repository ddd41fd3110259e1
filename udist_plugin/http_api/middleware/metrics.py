"""Metrics as distribution has them: the same names, types, labels and bounds, served beside ``/v2/``."""

from __future__ import annotations

from time import perf_counter

from udist_plugin.errors import RegistryError, TransportError
from udist_plugin.http_api.middleware.ending import when_ended
from udist_plugin.http_api.middleware.families import BYTES, SECONDS, Counter, Gauge, Histogram
from udist_plugin.http_api.response import Response
from udist_plugin.http_api.routes import match
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.http_api.middleware.families import Family

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

HANDLERS: Final = {
    "base": "base",
    "blob": "blob",
    "catalog": "catalog",
    "manifest": "manifest",
    "referrers": "referrers",
    "tags": "tags",
    "upload": "blob_upload_chunk",
    "uploads": "blob_upload",
}
"""Distribution's names for the resources; it has none for referrers."""

DRIVERS: Final = {"s3": "s3aws"}
"""Distribution's own names of storage drivers, where its configuration has another."""

DIGITS: Final = 19
"""A longer content-length is none."""

METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "NOTIFY", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
"""All others count as ``unknown``, so that callers cannot add labels."""


class Measurements:
    """What is measured of one registry."""

    def __init__(self) -> None:
        self.in_flight = Gauge("registry_http_in_flight_requests", "The in-flight HTTP requests", ["handler"])
        self.requests = Counter(
            "registry_http_requests", "Total number of HTTP requests made.", ["handler", "method", "code"]
        )
        self.durations = Histogram(
            "registry_http_request_duration_seconds",
            "The HTTP request latencies in seconds.",
            ["handler", "method"],
            (*SECONDS, 25.0, 60.0),
        )
        self.request_sizes = Histogram(
            "registry_http_request_size_bytes", "The HTTP request sizes in bytes.", ["handler"], BYTES
        )
        self.response_sizes = Histogram(
            "registry_http_response_size_bytes", "The HTTP response sizes in bytes.", ["handler"], BYTES
        )
        self.actions = Histogram(
            "registry_storage_action_seconds",
            "The number of seconds that the storage action takes",
            ["driver", "action"],
            SECONDS,
        )
        self.cache_requests = Counter(
            "registry_storage_cache_requests", "The number of cache request received"
        )
        self.cache_hits = Counter("registry_storage_cache_hits", "The number of cache request received")
        self.cache_errors = Counter("registry_storage_cache_errors", "The number of cache request errors")
        self.events = Counter(
            "registry_notifications_events", "The number of total events", ["type", "endpoint"]
        )
        self.pending_events = Gauge(
            "registry_notifications_pending_total", "The gauge of pending events in queue", ["endpoint"]
        )
        self.event_statuses = Counter(
            "registry_notifications_status", "The number of status code", ["code", "endpoint"]
        )
        for handler in HANDLERS.values():
            self.in_flight.add((handler,), 0)
        for counter in (self.cache_requests, self.cache_hits, self.cache_errors):
            counter.add(amount=0)

    def storage_action(self, driver: str) -> Callable[[str, float], None]:
        """What to tell of each action of a storage driver: its name and how many seconds it took."""
        name = DRIVERS.get(driver, driver)
        return lambda action, seconds: self.actions.observe((name, action), seconds)

    def cache_request(self, hit: bool) -> None:
        """What to tell of each question to the cache of sizes."""
        self.cache_requests.add()
        if hit:
            self.cache_hits.add()

    def notifications(self, endpoint: str) -> EndpointMeter:
        """What to tell of the events for an endpoint, by its name."""
        return EndpointMeter(self, endpoint)

    def __iter__(self) -> Iterator[Family]:
        """The families that there is something to say of."""
        return (family for family in vars(self).values() if family.values())


class EndpointMeter:
    """Counts the events for one endpoint: by their type, which is Events, Successes, Failures, Errors or
    Dropped, by the status of responses, and those that wait."""

    def __init__(self, measurements: Measurements, endpoint: str) -> None:
        self._measurements = measurements
        self._endpoint = endpoint

    def count(self, kind: str, number: int = 1) -> None:
        self._measurements.events.add((kind, self._endpoint), number)

    def answered(self, status: int) -> None:
        """``status`` is 0 if there was no response."""
        if status:
            from http.client import responses

            code = f"{status} {responses.get(status, '')}".rstrip()
            self._measurements.event_statuses.add((code, self._endpoint))

    def pending(self, change: int) -> None:
        self._measurements.pending_events.add((self._endpoint,), change)


class Metrics:
    """``application``, with its requests measured, and all measurements at ``path``.

    A request ends when the server closes the response's content. Sizes are what the heads announce. If the
    caller gives up while the request is read, its code is 499, as in distribution.
    """

    def __init__(self, application: Application, measurements: Measurements, path: str, prefix: str) -> None:
        self._application = application
        self._measurements = measurements
        self._path = path
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self._path and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            from udist_plugin.http_api.middleware.exposition import CONTENT_TYPE, expose

            response = Response(200, [("Content-Type", CONTENT_TYPE)], expose(self._measurements))
            return response.send(environ, start_response)
        try:
            handler = HANDLERS[match(path, self._prefix).resource]
        except RegistryError:  # as in distribution, what leads nowhere is not counted
            return self._application(environ, start_response)
        return self._measured(_Request(self._measurements, handler, environ), environ, start_response)

    def _measured(
        self, request: _Request, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        def started(line: str, fields: list[tuple[str, str]], *exc_info: Any) -> Any:
            request.started(line[:3], fields)
            return start_response(line, fields, *exc_info)

        try:
            result = self._application(environ, started)
        except BaseException as error:
            request.started("499" if isinstance(error, TransportError) else "500", [])
            request.end()
            raise
        when_ended(result, request.end)
        return result


class _Request:
    """One request, from its beginning to its end."""

    def __init__(self, measurements: Measurements, handler: str, environ: dict[str, Any]) -> None:
        method = environ["REQUEST_METHOD"]
        self._measurements = measurements
        self._handler = (handler,)
        self._method = method.lower() if method in METHODS else "unknown"
        self._code, self._size = "", 0
        self._ended = False
        measurements.request_sizes.observe(self._handler, _size(environ))
        measurements.in_flight.add(self._handler)
        self._begun = perf_counter()

    def started(self, code: str, fields: list[tuple[str, str]]) -> None:
        self._code = code
        if self._method != "head":
            self._size = next((int(value) for name, value in fields if name == "Content-Length"), 0)

    def end(self) -> None:
        """Twice is once."""
        if self._ended:
            return
        self._ended = True
        measurements, (handler,) = self._measurements, self._handler
        measurements.durations.observe((handler, self._method), perf_counter() - self._begun)
        measurements.response_sizes.observe(self._handler, self._size)
        measurements.requests.add((handler, self._method, self._code))
        measurements.in_flight.add(self._handler, -1)


def _size(environ: dict[str, Any]) -> int:
    """About as many bytes as the request has, content included."""
    size = len(environ["REQUEST_METHOD"]) + len(environ.get("SERVER_PROTOCOL", ""))
    size += len(environ.get("REQUEST_URI") or environ.get("PATH_INFO", ""))
    size += sum(len(name) - 5 + len(value) for name, value in environ.items() if name.startswith("HTTP_"))
    length = environ.get("CONTENT_LENGTH", "")
    return size + (int(length) if length.isascii() and length.isdigit() and len(length) <= DIGITS else 0)
