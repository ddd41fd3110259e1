"""Spans as a collector receives them, from distribution and from udist."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from gzip import decompress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.http_api.wsgi import Client
from tests.link.waiting import until
from tests.remote.serving import Answer, Served, serving
from tests.storage.stock import running
from udist_plugin import Plugin, create_app
from udist_plugin.errors import ConfigurationError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMORY = {"version": "0.1", "storage": {"inmemory": {}}}
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
REQUESTS = [
    ("GET", "/v2/"),
    ("GET", "/v2/a/manifests/v1"),
    ("POST", "/v2/a/blobs/uploads/"),
    ("HEAD", f"/v2/a/blobs/{Digest.of(b'missing')}"),
]


class Collector:
    """The spans that ``served`` was sent."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def resources(self) -> list[Any]:
        found: list[Any] = []
        for asked in list(self._served.asked):
            packed = asked.headers.get("content-encoding") == "gzip"
            assert asked.target == "/v1/traces"
            request = ExportTraceServiceRequest.FromString(decompress(asked.body) if packed else asked.body)
            found += request.resource_spans
        return found

    def spans(self) -> list[Any]:
        """Of requests, in the order of their beginnings."""
        spans = [span for each in self.resources() for scope in each.scope_spans for span in scope.spans]
        return sorted((span for span in spans if span.kind == span.SPAN_KIND_SERVER), key=_begun)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with serving(lambda _: Answer(200)) as served:
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{served.port}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        yield Collector(served)


def test_spans_are_named_and_continued_as_by_distribution(collector: Collector, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(json.dumps({**MEMORY, "http": {"addr": "127.0.0.1:0"}}))
    with running("registry", config) as stock:
        for method, target in REQUESTS:
            stock.request(method, target, headers=CALLER)
        until(lambda: len(collector.spans()) == len(REQUESTS))
    theirs = collector.spans()
    with create_app(MEMORY) as app:
        for method, target in REQUESTS:
            Client(app).request(method, target, CALLER)
    ours = collector.spans()[len(REQUESTS) :]
    assert list(map(_told, ours)) == list(map(_told, theirs))
    assert [span.name for span in ours] == [f"{method} {target}" for method, target in REQUESTS]
    assert {(span.trace_id.hex(), span.parent_span_id.hex()) for span in ours} == {(TRACE, PARENT)}


def test_an_unexpected_exception_is_an_error(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(StorageRegistry, "open_manifest", crash)
    with create_app(MEMORY) as app:
        Client(app).get("/v2/a/manifests/v1")
        Client(app).get("/v2/")
    failed, fine = collector.spans()
    assert (failed.status.code, fine.status.code) == (failed.status.STATUS_CODE_ERROR, 0)


def test_the_service_has_the_name_that_the_environment_gives(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("udist", "mirror"):
        if name == "mirror":
            monkeypatch.setenv("OTEL_SERVICE_NAME", name)
        with create_app(MEMORY) as app:
            Client(app).get("/v2/")
    named = [_values(each.resource.attributes)["service.name"] for each in collector.resources()]
    assert named == ["udist", "mirror"]


def test_two_registries_of_a_process_trace_apart(collector: Collector) -> None:
    with create_app(MEMORY) as one, create_app(MEMORY) as other:
        Client(one).get("/v2/")
        Client(other).get("/v2/")
    assert len(collector.resources()) == 2


def test_a_plugin_traces_what_its_caller_asks_for(collector: Collector) -> None:
    with Plugin(json.dumps(MEMORY)) as plugin:
        with plugin.request("GET", "/v2/", headers=CALLER) as response:
            assert response.status == 200
        (span,) = until(collector.spans)
    assert (span.name, span.trace_id.hex()) == ("GET /v2/", TRACE)


def test_a_collector_that_is_away_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")  # seconds, after which it tries no more
    before = set(threading.enumerate())
    with create_app({**MEMORY, "http": {"draintimeout": "100ms"}}) as app:
        assert Client(app).get("/v2/").status == 200
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
        assert not thread.is_alive(), thread.name


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER: expected otlp, console or none, not"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
            "OTEL_EXPORTER_OTLP_PROTOCOL: expected http/protobuf or grpc, not 'http/json'",
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: grpc needs the package opentelemetry-exporter-otlp-",
        ),
    ],
)
def test_a_wrong_variable_is_an_error_of_the_start(
    variables: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        create_app(MEMORY)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize("variable", ["OTEL_TRACES_EXPORTER=none", "OTEL_SDK_DISABLED=true", "OTEL_A=b"])
def test_nothing_is_imported_unless_traces_are_wanted(variable: str) -> None:
    name, _, value = variable.partition("=")
    code = (
        "import sys, udist_plugin; udist_plugin.create_app({'version': '0.1', 'storage': {'inmemory': {}}})"
    )
    code += "; sys.exit(any(name.partition('.')[0] == 'opentelemetry' for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], env={name: value}, check=True, timeout=60)


def _begun(span: Any) -> int:
    return int(span.start_time_unix_nano)


def _values(attributes: Any) -> dict[str, object]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def _told(span: Any) -> tuple[object, ...]:
    values = _values(span.attributes)
    names = ("http.request.method", "http.response.status_code", "url.scheme", "url.path")
    return span.name, span.kind, span.trace_id, span.parent_span_id, *map(values.get, names)
