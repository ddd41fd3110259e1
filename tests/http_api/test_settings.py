from __future__ import annotations

import pytest

from tests.http_api.images import push_blob, push_image
from tests.http_api.wsgi import Client
from udist_plugin.drivers import open_driver
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.options import Options
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry


def client_with(options: Options, script_name: str = "") -> Client:
    registry = StorageRegistry(open_driver("inmemory", {}, scratch=paths.SCRATCH))
    return Client(Application(registry, options), {"SCRIPT_NAME": script_name})


@pytest.mark.parametrize(
    ("options", "script_name", "base"),
    [
        (Options(), "", ""),
        (Options(), "/mounted at", "/mounted%20at"),
        (Options(prefix="/some/prefix/"), "", "/some/prefix"),
        (Options(prefix="/some/prefix/"), "/mounted", "/mounted/some/prefix"),
        (Options(host="https://registry.example"), "/mounted", "https://registry.example"),
        (Options(host="https://registry.example/path/"), "", "https://registry.example/path"),
    ],
)
def test_every_url_begins_where_clients_find_it(options: Options, script_name: str, base: str) -> None:
    client = client_with(options, script_name)
    client.prefix = options.prefix[:-1]
    started = client.request("POST", "/v2/a/blobs/uploads/")
    assert started.field("location").startswith(f"{base}/v2/a/blobs/uploads/")
    push_image(client, "a", "v1")
    push_image(client, "a", "v2")
    answer = client.get("/v2/a/tags/list?n=1")
    assert answer.field("link") == f'<{base}/v2/a/tags/list?n=1&last=v1>; rel="next"'


def test_nothing_is_served_outside_the_prefix() -> None:
    client = client_with(Options(prefix="/some/prefix/"))
    assert client.get("/some/prefix/v2/").status == 200
    for path in ("/v2/", "/v2/a/tags/list", "/some/v2/", "/some/prefixv2/", "/some/prefix/x/v2/"):
        assert client.get(path).status == 404


def test_what_an_answer_says_itself_is_not_said_twice() -> None:
    client = client_with(Options(headers={"content-type": ["text/x"], "Cache-Control": ["no-store"]}))
    assert client.get("/v2/").all("content-type") == ["application/json"]
    assert client.get("/v2/").all("cache-control") == ["no-store"]
    digest = push_blob(client, "a", b"content")
    assert client.get(f"/v2/a/blobs/{digest}").all("cache-control") == ["max-age=31536000"]


def test_configured_fields_are_in_every_answer() -> None:
    client = client_with(Options(headers={"X-Content-Type-Options": ["nosniff"], "X-Two": ["1", "2"]}))
    for target in ("/v2/", "/v2/_catalog", "/v2/nowhere/tags/list", "/elsewhere"):
        answer = client.get(target)
        assert answer.all("x-content-type-options") == ["nosniff"]
        assert answer.all("x-two") == ["1", "2"]
        assert answer.field("docker-distribution-api-version") == "registry/2.0"
