"""What is measured, shown as distribution shows it."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.http_api.images import CONFIG, image
from tests.http_api.wsgi import Client
from tests.link.waiting import until
from tests.storage.stock import Stock, running
from udist_plugin import Plugin, create_app
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import Cancelled, ConfigurationError
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.middleware.metrics import Measurements, Metrics
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_MANIFEST
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Send = Callable[[str, str, bytes, Mapping[str, str]], Any]
    Values = dict[tuple[str, frozenset[tuple[str, str]]], float]

BLOB = b"0123456789" * 1000
REQUESTS = "registry_http_requests_total"
IN_FLIGHT = "registry_http_in_flight_requests"
ELSEWHERE = ("go_", "process_", "promhttp_", "registry_proxy_")
"""What distribution shows of Go, of its process and of sections that are not supported yet."""
CONFIGURED: dict[str, Any] = {
    "storage": {"inmemory": {}, "cache": {"blobdescriptor": "inmemory"}},
    "http": {"debug": {"prometheus": {"enabled": True}}},
}


def values(text: str) -> Values:
    """The number of each sample."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float | None:
    return values(text).get((name, frozenset(labels.items())))


@contextmanager
def distribution(config: Path) -> Iterator[tuple[Stock, Callable[[], str]]]:
    """The server, and its metrics."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    http = {"addr": "127.0.0.1:0", "secret": "a test"}
    debug = {"addr": f"127.0.0.1:{port}", "prometheus": {"enabled": True}}
    config.write_text(json.dumps({**CONFIGURED, "version": 0.1, "http": http | {"debug": debug}}))

    def metrics() -> str:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    with running("registry", config) as stock:
        yield stock, metrics


def use(send: Send) -> None:
    """Requests of every kind, some of which fail."""
    for content in (BLOB, CONFIG, b"{}"):
        send("POST", f"/v2/a/blobs/uploads/?mount={Digest.of(content)}&from=b", b"", {})
        location = send("POST", "/v2/a/blobs/uploads/", b"", {})
        mark = "&" if "?" in location else "?"
        send("PUT", f"{location}{mark}digest={Digest.of(content)}", content, {})
    send("PUT", "/v2/a/manifests/v1", image(), {"Content-Type": OCI_MANIFEST})
    for method in ("GET", "GET", "HEAD"):
        send(method, f"/v2/a/blobs/{Digest.of(BLOB)}", b"", {})
        send(method, "/v2/a/manifests/v1", b"", {"Accept": OCI_MANIFEST})
        send(method, "/v2/a/manifests/v2", b"", {"Accept": OCI_MANIFEST})
    send("GET", f"/v2/a/blobs/{Digest.of(BLOB)}", b"", {"Range": "bytes=5-14"})
    send("GET", f"/v2/a/blobs/{Digest.of(b'missing')}", b"", {})
    for target in (
        "/v2/",
        "/v2/a/tags/list",
        "/v2/_catalog",
        "/v2/a/elsewhere",
        "/elsewhere",
        "/v2/NAME/tags/list",
    ):
        send("GET", target, b"", {})
    send("DELETE", "/v2/a/tags/list", b"", {})
    send("BREW", "/v2/a/tags/list", b"", {})


def of_http(found: Values) -> Values:
    """What depends neither on time nor on the fields that a server adds."""
    return {
        (name, labels): number
        for (name, labels), number in found.items()
        if name.startswith("registry_http")
        and not name.endswith(("_sum", "_seconds_bucket"))
        and ("handler", "referrers") not in labels
    }


def test_the_same_requests_give_the_same_metrics(tmp_path: Path) -> None:
    with distribution(tmp_path / "config.yml") as (stock, metrics):

        def ask_stock(method: str, target: str, content: bytes, fields: Mapping[str, str]) -> str:
            location = stock.request(method, target, content, dict(fields)).headers.get("location", "")
            return location.partition(stock.address)[2]

        use(ask_stock)
        theirs = metrics()
    with Plugin({**CONFIGURED}, {}) as plugin:

        def ask_udist(method: str, target: str, content: bytes, fields: Mapping[str, str]) -> str:
            with plugin.request(method, target, fields, content) as response:
                response.read()
                return response.header("location") or ""

        use(ask_udist)
        with plugin.request("GET", "/metrics") as response:
            assert response.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
            ours = response.read().decode()
    families = [
        {
            family.name: (family.type, family.documentation, bounds(family))
            for family in text_string_to_metric_families(text)
            if not family.name.startswith(ELSEWHERE)
        }
        for text in (theirs, ours)
    ]
    assert families[1] == families[0]
    assert of_http(values(ours)) == of_http(values(theirs))
    for text in (theirs, ours):
        assert value(text, "registry_http_response_size_bytes_sum", handler="base") == 2
        assert (value(text, "registry_storage_cache_hits_total") or 0) > 0
        for action in ("GetContent", "PutContent", "Delete"):
            labels = {"driver": "inmemory", "action": action}
            assert (value(text, "registry_storage_action_seconds_count", **labels) or 0) > 0
    processes = [{name for name, _ in values(text) if name.startswith("process_")} for text in (theirs, ours)]
    assert processes[1] <= processes[0]


def bounds(family: Any) -> set[str]:
    return {sample.labels["le"] for sample in family.samples if "le" in sample.labels}


def shown(client: Client) -> str:
    answer = client.get("/metrics")
    assert answer.status == 200
    return answer.content.decode()


def measured(application: Callable[..., Any]) -> Client:
    return Client(Metrics(application, Measurements(), "/metrics", "/"))


def test_a_driver_goes_by_distribution_s_name() -> None:
    measurements = Measurements()
    measurements.storage_action("s3")("Stat", 0.3)
    client = Client(Metrics(Application(StorageRegistry(InMemoryDriver())), measurements, "/metrics", "/"))
    labels = {"driver": "s3aws", "action": "Stat"}
    assert value(shown(client), "registry_storage_action_seconds_sum", **labels) == 0.3


def test_registries_of_one_process_are_kept_apart() -> None:
    with create_app(CONFIGURED) as one, create_app(CONFIGURED) as other:
        for _ in range(3):
            assert Client(one).get("/v2/").status == 200
        counts = [
            value(shown(Client(app)), REQUESTS, handler="base", method="get", code="200")
            for app in (one, other)
        ]
        assert counts == [3, None]


def test_the_path_is_configured_and_the_prefix_is_not_part_of_it() -> None:
    http = {"prefix": "/below/", "debug": {"prometheus": {"enabled": True, "path": "/m"}}}
    with create_app({**CONFIGURED, "http": http}) as app:
        client = Client(app)
        assert client.get("/below/v2/").status == 200
        assert (client.get("/metrics").status, client.get("/v2/").status) == (404, 404)
        text = client.get("/m").content.decode()
        head = client.head("/m")
        assert (head.status, head.content) == (200, b"")
        assert client.request("POST", "/m").status == 404
    assert value(text, REQUESTS, handler="base", method="get", code="200") == 1


@pytest.mark.parametrize("path", ["metrics", "/v2", "/v2/metrics", "/a b", "/a?b"])
def test_a_path_that_cannot_be_is_named(path: str) -> None:
    with pytest.raises(ConfigurationError, match="expected a path outside /v2/, such as /metrics"):
        create_app({**CONFIGURED, "http": {"debug": {"prometheus": {"enabled": True, "path": path}}}})


def test_an_empty_path_is_the_usual_one() -> None:
    http = {"debug": {"prometheus": {"enabled": True, "path": ""}}}
    with create_app({**CONFIGURED, "http": http}) as app:
        assert "registry_http" in shown(Client(app))


def test_without_the_switch_there_are_none() -> None:
    with create_app({"storage": {"inmemory": {}}}) as app:
        assert Client(app).get("/metrics").status == 404


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        ConfigurationError, match=r"prometheus\.enabled .* needs .* pip install '\.\[metrics\]'"
    ):
        create_app(CONFIGURED)


def test_no_caller_can_add_labels() -> None:
    with create_app(CONFIGURED) as app:
        client = Client(app)
        for number in range(20):
            client.request(f"BREW{number}", f"/v2/name{number}/tags/list")
            client.get(f"/v2/name{number}/manifests/tag{number}")
            client.get(f"/elsewhere/{number}")
        text = shown(client)
    assert "name1" not in text
    assert "BREW" not in text
    labels = {"handler": "tags", "method": "unknown", "code": "405"}
    assert value(text, REQUESTS, **labels) == 20
    requests = [number for (name, _), number in values(text).items() if name == REQUESTS]
    assert requests == [20, 20]


def test_they_are_shown_while_a_health_check_fails(tmp_path: Path) -> None:
    health = {"file": [{"file": str(tmp_path), "interval": "1ms"}]}
    with create_app({**CONFIGURED, "health": health}) as app:
        client = Client(app)
        until(lambda: client.get("/v2/").status == 503)
        text = shown(client)
    assert value(text, REQUESTS, handler="base", method="get", code="503") == 1


def test_a_request_is_in_flight_until_its_content_has_been_read(tmp_path: Path) -> None:
    """Also when the kernel moves it, as the server sees the same file."""
    content = os.urandom(16 << 20)
    target = f"/v2/a/blobs/{Digest.of(content)}"
    storage = {"filesystem": {"rootdirectory": str(tmp_path)}}
    with Plugin({**CONFIGURED, "storage": storage}, {}, files=False) as plugin:

        def metric(name: str, **labels: str) -> float | None:
            with plugin.request("GET", "/metrics") as response:
                return value(response.read().decode(), name, handler="blob", **labels)

        with plugin.request(
            "POST", f"/v2/a/blobs/uploads/?digest={Digest.of(content)}", body=content
        ) as response:
            assert response.status == 201
        with plugin.request("GET", target) as response:
            assert metric(IN_FLIGHT) == 1
            assert metric(REQUESTS, method="get", code="200") is None
            assert response.read() == content
        until(lambda: metric(IN_FLIGHT) == 0)
        assert metric(REQUESTS, method="get", code="200") == 1
        assert metric("registry_http_response_size_bytes_sum") == len(content)


def test_a_caller_that_gives_up_counts_as_in_distribution() -> None:
    def application(*_: object) -> list[bytes]:
        raise Cancelled("the caller gave up")

    client = measured(application)
    with pytest.raises(Cancelled):
        client.request("PATCH", "/v2/a/blobs/uploads/1")
    labels = {"handler": "blob_upload_chunk", "method": "patch"}
    assert value(shown(client), REQUESTS, code="499", **labels) == 1
    assert value(shown(client), IN_FLIGHT, handler="blob_upload_chunk") == 0


class Content:
    """A server's own, that cannot be watched."""

    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"{}"])


def test_content_that_cannot_be_watched_ends_at_once() -> None:
    def application(_: object, start_response: Callable[..., object]) -> Content:
        start_response("200 OK", [("Content-Length", "2")])
        return Content()

    client = measured(application)
    assert client.get("/v2/").content == b"{}"
    assert value(shown(client), IN_FLIGHT, handler="base") == 0
    assert value(shown(client), "registry_http_response_size_bytes_sum", handler="base") == 2


def test_content_that_fails_to_close_has_ended() -> None:
    class Failing(list[bytes]):
        def close(self) -> None:
            raise OSError("a disk")

    def application(_: object, start_response: Callable[..., object]) -> Failing:
        start_response("200 OK", [("Content-Length", "0")])
        return Failing()

    client = measured(application)
    with pytest.raises(OSError, match="a disk"):
        client.get("/v2/")
    assert value(shown(client), IN_FLIGHT, handler="base") == 0
