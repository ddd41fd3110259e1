"""A span of OpenTelemetry for each request, as distribution 3 has it: named by method and path, and set up by
the ``OTEL_*`` variables of the SDK.

Each registry has a provider of its own: nothing is set for the whole process.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as contexts
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from udist_plugin.errors import ConfigurationError
from udist_plugin.http_api.middleware.ending import when_ended
from udist_plugin.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

    Environ = dict[str, Any]
    WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

VARIABLE: Final = "OTEL_TRACES_EXPORTER"
PROTOCOLS: Final = {"http/protobuf": "http", "grpc": "grpc"}
ATTRIBUTES: Final = {
    "http.request.method": "REQUEST_METHOD",
    "url.scheme": "wsgi.url_scheme",
    "url.query": "QUERY_STRING",
    "server.address": "SERVER_NAME",
    "client.address": "REMOTE_ADDR",
    "user_agent.original": "HTTP_USER_AGENT",
}
"""OpenTelemetry's names for HTTP servers, and WSGI's."""

_PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])


class Tracing:
    """Traces requests, and sends the spans by ``exporter`` until ``close``, which waits for at most ``drain``
    seconds."""

    def __init__(self, exporter: SpanExporter, drain: float) -> None:
        own = Resource({"service.name": "udist", "service.version": __version__})
        resource = own.merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._tracer = self._provider.get_tracer(__name__, __version__)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._drain = drain

    def wrap(self, application: WSGI) -> WSGI:
        """``application``, with a span for each request, which lasts until its response has been sent."""

        def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            parent = _PROPAGATOR.extract(_fields(environ))
            name, attributes = _described(environ)
            span = self._tracer.start_span(name, parent, SpanKind.SERVER, attributes)

            def started(line: str, fields: list[tuple[str, str]], *exc_info: Any) -> Any:
                _answered(span, int(line[:3]))
                return start_response(line, fields, *exc_info)

            token = contexts.attach(set_span_in_context(span, parent))
            try:
                result = application(environ, started)
            except BaseException as error:
                span.record_exception(error)
                span.set_status(StatusCode.ERROR)
                span.end()
                raise
            finally:
                contexts.detach(token)
            when_ended(result, span.end)
            return result

        return answer

    def start(self, _: Callable[[str, str], object]) -> None:
        """Jobs start after the first response, which is traced as well: there is nothing left to start."""

    def close(self) -> None:
        """Sends what is left. An exporter that cannot goes on in its thread, which ends with the process."""
        ending = threading.Thread(target=self._provider.shutdown, name="udist-traces", daemon=True)
        ending.start()
        ending.join(self._drain)


def open_tracing(environ: Mapping[str, str], drain: float) -> Tracing:
    """What ``OTEL_TRACES_EXPORTER`` asks for. Raises ``ConfigurationError``."""
    match environ[VARIABLE].strip():
        case "otlp":
            return Tracing(_otlp(environ), drain)
        case "console":
            return Tracing(ConsoleSpanExporter(out=sys.stderr), drain)
        case other:
            raise ConfigurationError(f"expected otlp, console or none, not {other!r}", source=VARIABLE)


def _otlp(environ: Mapping[str, str]) -> SpanExporter:
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environ.get(variable, "").strip()
        if protocol:
            break
    else:
        protocol = "http/protobuf"
    if protocol not in PROTOCOLS:
        expected = " or ".join(PROTOCOLS)
        raise ConfigurationError(f"expected {expected}, not {protocol!r}", source=variable)
    package = f"opentelemetry.exporter.otlp.proto.{PROTOCOLS[protocol]}"
    try:
        exporter: SpanExporter = import_module(f"{package}.trace_exporter").OTLPSpanExporter()
    except ImportError as error:
        needed = package.replace("opentelemetry.exporter.otlp.proto.", "opentelemetry-exporter-otlp-proto-")
        raise ConfigurationError(f"{protocol} needs the package {needed}", source=variable) from error
    return exporter


def _fields(environ: Environ) -> dict[str, str]:
    names = {name: f"HTTP_{name.upper()}" for name in ("traceparent", "tracestate", "baggage")}
    return {name: environ[key] for name, key in names.items() if key in environ}


def _described(environ: Environ) -> tuple[str, dict[str, str]]:
    """The span's name, and attributes."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    path = path.encode("latin-1", "replace").decode(errors="replace")
    attributes = {name: str(environ[key]) for name, key in ATTRIBUTES.items() if environ.get(key)}
    return f"{environ['REQUEST_METHOD']} {path}", attributes | {"url.path": path}


def _answered(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
