"""Redirects to the signed URLs of a real bucket."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import httpx
import pytest
import requests

from udist_plugin import Plugin
from udist_plugin.client.httpx_transport import UdistTransport
from udist_plugin.client.requests_adapter import UdistAdapter
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.drivers.s3.server import S3Server

DATA = bytes(range(256)) * (48 << 10)  # more than one part of an upload
DIGEST = Digest.of(DATA)
BLOB = f"/v2/a/blobs/{DIGEST}"


@pytest.fixture(scope="module")
def environ(minio_server: S3Server) -> dict[str, str]:
    """What a plugin is given for a bucket that has the blob."""
    parameters = minio_server.parameters(minio_server.bucket())
    environ = {f"REGISTRY_STORAGE_S3_{key.upper()}": value for key, value in parameters.items()}
    with Plugin(None, environ) as plugin:
        RemoteRegistry(plugin).push_blob("a", DIGEST, io.BytesIO(DATA))
    return environ


@pytest.fixture
def plugin(environ: dict[str, str]) -> Iterator[Plugin]:
    with Plugin(None, environ, redirects=True) as plugin:
        yield plugin


def test_the_plugin_gives_signed_urls_to_those_who_asked_alone(
    plugin: Plugin, environ: dict[str, str], minio_server: S3Server
) -> None:
    with plugin.request("GET", BLOB, follow=False) as response:
        location = response.header("location")
        assert response.status == 307
        assert location
        assert location.startswith(f"{minio_server.url}/")
        assert "X-Amz-Signature=" in location
    with Plugin(None, environ) as unasked, unasked.request("GET", BLOB) as response:
        assert (response.status, response.header("location")) == (200, None)
        assert response.read() == DATA


def test_a_registry_reads_it(plugin: Plugin) -> None:
    registry = RemoteRegistry(plugin)
    with registry.open_blob("a", DIGEST) as content:
        assert content.read() == DATA
    with registry.open_blob("a", DIGEST, 1000, 5000) as content:
        assert content.read() == DATA[1000:5000]


def test_httpx_reads_it(plugin: Plugin) -> None:
    with httpx.Client(transport=UdistTransport(plugin), base_url="http://udist") as client:
        answer = client.get(BLOB, headers={"authorization": "Bearer it would be refused with"})
    assert (answer.content, answer.headers["docker-content-digest"]) == (DATA, DIGEST)


def test_requests_reads_it(plugin: Plugin) -> None:
    with requests.Session() as session:
        session.mount("http://udist/", UdistAdapter(plugin))
        answer = session.get(
            f"http://udist{BLOB}", headers={"authorization": "Bearer it would be refused with"}
        )
    assert (answer.content, answer.headers["docker-content-digest"]) == (DATA, DIGEST)
