"""httpx and requests over a plugin: streamed both ways, and failing as their own users expect."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests

from udist_plugin import Plugin
from udist_plugin.client.httpx_transport import UdistTransport
from udist_plugin.client.readers import PieceReader
from udist_plugin.client.requests_adapter import UdistAdapter
from udist_plugin.errors import DeadlineExceeded, PluginDied
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = bytes(range(256)) * 12000
DIGEST = Digest.of(DATA)
BLOB = f"/v2/a/blobs/{DIGEST}"
LARGE_SIZE = 64 << 20
LARGE = f"/v2/a/blobs/{Digest.of(bytes(LARGE_SIZE))}"
"""More than pipes and credit hold, so that most of it is still to come when a reader has the first piece."""


def pieces() -> Iterator[bytes]:
    for start in range(0, len(DATA), 100_000):
        yield b""
        yield DATA[start : start + 100_000]


@pytest.fixture
def client(udist_plugin: Plugin) -> Iterator[httpx.Client]:
    with httpx.Client(transport=UdistTransport(udist_plugin), base_url="http://udist") as client:
        yield client


@pytest.fixture
def session(udist_plugin: Plugin) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount("http://udist/", UdistAdapter(udist_plugin))
        yield session


@pytest.fixture
def silent() -> Iterator[Plugin]:
    """A plugin whose process is stopped: it is there, and does not answer."""
    with Plugin("version: 0.1\nstorage: {inmemory: {}}", {}) as plugin:
        os.kill(plugin.pid, signal.SIGSTOP)
        try:
            yield plugin
        finally:
            with suppress(ProcessLookupError):
                os.kill(plugin.pid, signal.SIGCONT)


@pytest.mark.parametrize("kind", ["bytes", "pieces", "file"])
def test_httpx_streams_both_ways(client: httpx.Client, kind: str) -> None:
    bodies: dict[str, Any] = {"bytes": DATA, "pieces": pieces(), "file": io.BytesIO(DATA)}
    location = client.post("/v2/a/blobs/uploads/").headers["location"]
    assert client.put(location, params={"digest": DIGEST}, content=bodies[kind]).status_code == 201
    with client.stream("GET", BLOB) as response:
        assert response.headers["content-length"] == str(len(DATA))
        assert b"".join(response.iter_bytes()) == DATA
    assert client.get(BLOB, headers={"range": "bytes=5-9"}).content == DATA[5:10]
    assert client.head(BLOB).content == b""
    with client.stream("GET", BLOB) as response:
        next(response.iter_raw())
    assert client.get("/v2/_catalog").json() == {"repositories": []}  # a blob alone makes none


@pytest.mark.parametrize("adapter", ["httpx", "requests"])
def test_the_plugin_is_not_to_blame_for_a_slow_body(
    client: httpx.Client, session: requests.Session, adapter: str
) -> None:
    """A read timeout bounds the plugin's silence, not how long this side takes to say everything."""
    patience = 0.3
    ready = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield DATA[:5]
        ready.wait(3 * patience)  # nobody sets it: the body simply is not there yet
        yield DATA[5:]

    location = client.post("/v2/a/blobs/uploads/").headers["location"]
    put: Any = client.put if adapter == "httpx" else session.put
    content = {"content" if adapter == "httpx" else "data": slowly()}
    assert (
        put(f"http://udist{location}", params={"digest": DIGEST}, timeout=patience, **content).status_code
        == 201
    )


@pytest.mark.parametrize("size", [10, LARGE_SIZE])
def test_a_plugin_that_takes_nothing_is_given_up(silent: Plugin, size: int) -> None:
    def content() -> Iterator[bytes]:
        for _ in range(0, size, 1 << 20):
            yield bytes(min(size, 1 << 20))

    with (
        httpx.Client(transport=UdistTransport(silent), base_url="http://udist", timeout=0.3) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post("/v2/a/blobs/uploads/", params={"digest": DIGEST}, content=content())


def test_httpx_keeps_http_errors_http(client: httpx.Client) -> None:
    response = client.get("/v2/a/manifests/v1")
    assert response.status_code == 404
    assert response.json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"
    with pytest.raises(httpx.HTTPStatusError):
        response.raise_for_status()


def test_httpx_says_its_own_errors(silent: Plugin) -> None:
    with httpx.Client(transport=UdistTransport(silent), base_url="http://udist", timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout) as late:
            client.get("/v2/")
        assert isinstance(late.value.__cause__, DeadlineExceeded)
        os.kill(silent.pid, signal.SIGKILL)
        with pytest.raises(httpx.ReadError) as gone:
            client.get("/v2/", timeout=None)
        assert isinstance(gone.value.__cause__, PluginDied)


def test_httpx_says_when_content_is_cut(client: httpx.Client, udist_plugin: Plugin, tmp_path: Path) -> None:
    push_large(udist_plugin, tmp_path)
    with client.stream("GET", LARGE) as response, pytest.raises(httpx.ReadError):
        for _ in response.iter_raw():
            os.kill(udist_plugin.pid, signal.SIGKILL)


@pytest.mark.parametrize("kind", ["bytes", "pieces", "file", "real file"])
def test_requests_streams_both_ways(session: requests.Session, kind: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"before" + DATA)
    with (tmp_path / "data").open("rb") as file:
        file.seek(len(b"before"))
        bodies: dict[str, Any] = {"bytes": DATA, "pieces": pieces(), "file": io.BytesIO(DATA)}
        bodies["real file"] = file
        location = session.post("http://udist/v2/a/blobs/uploads/").headers["location"]
        pushed = session.put(f"http://udist{location}", params={"digest": DIGEST}, data=bodies[kind])
    assert (pushed.status_code, pushed.reason) == (201, "Created")
    with session.get(f"http://udist{BLOB}", stream=True) as response:
        assert b"".join(response.iter_content(100_000)) == DATA
    assert session.get(f"http://udist{BLOB}").content == DATA
    head = session.head(f"http://udist{BLOB}")
    assert (head.headers["Content-Length"], head.content) == (str(len(DATA)), b"")
    with session.get(f"http://udist{BLOB}", stream=True) as response:
        next(response.iter_content(10))
    assert session.get("http://udist/v2/_catalog").json() == {"repositories": []}


def test_requests_takes_text_and_json(session: requests.Session) -> None:
    manifest = json.dumps({"schemaVersion": 2, "manifests": []})
    index = "application/vnd.oci.image.index.v1+json"
    put = session.put("http://udist/v2/a/manifests/v1", data=manifest, headers={"content-type": index})
    assert put.status_code == 201
    assert session.get("http://udist/v2/a/manifests/v1").text == manifest
    with pytest.raises(requests.HTTPError):
        session.get("http://udist/v2/a/manifests/v2").raise_for_status()


@pytest.mark.parametrize("timeout", [0.2, (5, 0.2)])
def test_requests_says_its_own_errors(silent: Plugin, timeout: float | tuple[float, float]) -> None:
    with requests.Session() as session:
        session.mount("http://udist/", UdistAdapter(silent))
        with pytest.raises(requests.ReadTimeout):
            session.get("http://udist/v2/", timeout=timeout)
        os.kill(silent.pid, signal.SIGKILL)
        with pytest.raises(requests.ConnectionError) as gone:
            session.get("http://udist/v2/")
        assert isinstance(gone.value.__cause__, PluginDied)


def test_requests_says_when_content_is_cut(
    session: requests.Session, udist_plugin: Plugin, tmp_path: Path
) -> None:
    push_large(udist_plugin, tmp_path)
    with (
        session.get(f"http://udist{LARGE}", stream=True) as response,
        pytest.raises(requests.exceptions.ChunkedEncodingError),
    ):
        for _ in response.iter_content(1000):
            os.kill(udist_plugin.pid, signal.SIGKILL)


@pytest.mark.parametrize("module", ["httpx", "requests"])
def test_a_missing_extra_is_said(module: str) -> None:
    adapter = {"httpx": "httpx_transport", "requests": "requests_adapter"}[module]
    program = f"import sys; sys.modules[{module!r}] = None; import udist_plugin.client.{adapter}"
    ran = subprocess.run(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert f"pip install '.[{module}]' in a checkout" in ran.stderr.splitlines()[-1]


def test_pieces_are_read_as_they_are_asked_for() -> None:
    reader = PieceReader(iter([b"", b"abc", b"de", b"", b"f"]))
    assert [reader.read(size) for size in (0, 2, 2, 10, -1, 1)] == [b"", b"ab", b"c", b"de", b"f", b""]


def push_large(plugin: Plugin, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, LARGE_SIZE)
    with plugin.request("POST", "/v2/a/blobs/uploads/") as response:
        location = response.header("location")
    headers = [("content-length", str(LARGE_SIZE))]
    target = f"{location}?digest={LARGE.rpartition('/')[2]}"
    with path.open("rb") as file, plugin.request("PUT", target, headers, file) as response:
        assert response.status == 201
