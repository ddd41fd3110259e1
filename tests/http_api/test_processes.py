"""Uploads and images across plugins that share a store and nothing else."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from udist_plugin import Plugin
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


CONTENT = os.urandom(3 << 20)
UPLOADS = "/v2/some/name/blobs/uploads/"


@pytest.fixture
def config(tmp_path: Path) -> str:
    return f"{{version: 0.1, storage: {{filesystem: {{rootdirectory: {tmp_path}}}}}}}"


@pytest.fixture
def plugins(config: str) -> Iterator[list[Plugin]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Plugin(config)) for _ in range(2)]


def patch(plugin: Plugin, location: str, start: int, end: int) -> int:
    fields = [("content-range", f"{start}-{end - 1}"), ("content-type", "application/octet-stream")]
    with plugin.request("PATCH", location, fields, CONTENT[start:end]) as response:
        return response.status


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_two_processes_take_turns_at_one_upload(plugins: list[Plugin], algorithm: str) -> None:
    first, second = plugins
    digest = Digest.of(CONTENT, algorithm)
    location = first.request("POST", f"{UPLOADS}?digest-algorithm={algorithm}").header("location")
    assert location
    step = 1 << 20
    for number, plugin in enumerate((second, first)):
        assert patch(plugin, location, number * step, (number + 1) * step) == 202
        for other in plugins:
            status = other.request("GET", location)
            assert (status.status, status.header("range")) == (204, f"0-{(number + 1) * step - 1}")
    assert patch(second, location, 0, step) == 416
    ended = second.request("PUT", f"{location}?digest={digest}", body=CONTENT[2 * step :])
    assert (ended.status, ended.header("docker-content-digest")) == (201, digest)
    for plugin in plugins:
        assert plugin.request("GET", f"/v2/some/name/blobs/{digest}").read() == CONTENT
        with plugin.request("GET", location) as response:
            assert response.status == 404


def test_an_upload_outlives_the_process_that_took_it(config: str) -> None:
    digest = Digest.of(CONTENT)
    killed = Plugin(config)
    location = killed.request("POST", UPLOADS).header("location")
    assert location
    patch(killed, location, 0, 1 << 20)
    os.kill(killed.pid, signal.SIGKILL)
    killed.close()
    with Plugin(config) as plugin:
        status = plugin.request("GET", location)
        assert status.header("range") == f"0-{(1 << 20) - 1}"
        assert patch(plugin, location, 1 << 20, len(CONTENT)) == 202
        with plugin.request("PUT", f"{location}?digest={digest}") as response:
            assert response.status == 201
        ranged = plugin.request("GET", f"/v2/some/name/blobs/{digest}", [("range", "bytes=1000000-2999999")])
        assert (ranged.status, ranged.read()) == (206, CONTENT[1_000_000:3_000_000])


class Broken:
    """A body that cannot be read to its end."""

    def __init__(self) -> None:
        self.left = 3

    def read(self, size: int = -1, /) -> bytes:
        self.left -= 1
        if not self.left:
            raise ValueError("broken")
        return b"x" * 100_000


def test_a_push_that_is_cut_stores_nothing(plugins: list[Plugin]) -> None:
    digest = Digest.of(b"x" * 200_000)
    with pytest.raises(ValueError, match="broken"):
        plugins[0].request("POST", f"{UPLOADS}?digest={digest}", body=Broken())
    for plugin in plugins:
        with plugin.request("HEAD", f"/v2/some/name/blobs/{digest}") as response:
            assert response.status == 404


def test_a_refusal_comes_before_the_content_was_sent(plugins: list[Plugin]) -> None:
    class Endless:
        def read(self, size: int = -1, /) -> bytes:
            return b"x" * 100_000

    for method, target, status in (
        ("POST", "/v2/A/blobs/uploads/?digest=x", 400),
        ("POST", f"{UPLOADS}?digest=x", 400),
        ("PATCH", f"{UPLOADS}none", 404),
        ("PUT", UPLOADS, 405),
    ):
        with plugins[0].request(method, target, body=Endless(), timeout=20) as response:
            assert response.status == status
    with plugins[0].request("GET", "/v2/") as response:
        assert response.status == 200


def test_escapes_reach_the_registry_as_they_were_sent(plugins: list[Plugin]) -> None:
    response = plugins[0].request("GET", "/v2/a%5Cb/tags/list")
    assert (response.status, b"NAME_INVALID" in response.read()) == (400, True)
