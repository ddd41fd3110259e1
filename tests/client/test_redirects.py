"""Blobs whose content the plugin leaves to its store: followed over the network, when asked to."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import httpx
import pytest
import requests

from tests.client.stores import Store
from udist_plugin import AsyncPlugin, Cancelled, DeadlineExceeded, Plugin, RedirectFailed, TransportError
from udist_plugin.client import redirects
from udist_plugin.client.httpx_transport import AsyncUdistTransport, UdistTransport
from udist_plugin.client.requests_adapter import UdistAdapter
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DATA = bytes(range(256)) * 5000
DIGEST = Digest.of(DATA)
BLOB = f"/v2/a/blobs/{DIGEST}"
SECRETS = [("authorization", "Bearer secret"), ("cookie", "secret=1"), ("user-agent", "me/1")]

CONFIG = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {root}}}}}
middleware: {{storage: [{{name: redirect, options: {{baseurl: {base}}}}}]}}
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Store(tmp_path) as store:
        yield store


@pytest.fixture
def spawn(store: Store, tmp_path: Path) -> Iterator[Callable[..., Plugin]]:
    """Plugins on one folder, each redirecting to a place of the store's, or to what ``base`` says."""
    plugins: list[Plugin] = []

    def spawn(kind: str = "files", *, base: str | None = None, **options: Any) -> Plugin:
        config = CONFIG.format(root=tmp_path, base=base or f"{store.url}/{kind}")
        plugins.append(Plugin(config, {}, **({"redirects": True} | options)))
        return plugins[-1]

    with Plugin(CONFIG.format(root=tmp_path, base=store.url), {}) as pushing:
        RemoteRegistry(pushing).push_blob("a", DIGEST, Pieces(DATA))
    yield spawn
    for plugin in plugins:
        plugin.close()


class Pieces:
    """Content to push."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def read(self, size: int = -1, /) -> bytes:
        data, self._left = self._left[:size], self._left[size:]
        return data


@pytest.mark.parametrize("kind", ["files", "moved"])
def test_content_comes_from_the_store(spawn: Callable[..., Plugin], store: Store, kind: str) -> None:
    plugin = spawn(kind)
    with plugin.request("GET", BLOB) as response:
        assert (response.status, response.read()) == (200, DATA)
        fields = dict(response.headers)
    assert fields["docker-content-digest"] == DIGEST
    assert (fields["etag"], fields["content-length"]) == (f'"{DIGEST}"', str(len(DATA)))
    assert not {"location", "set-cookie"} & set(fields)
    assert len(store.seen) == {"files": 1, "moved": 2}[kind]
    with plugin.request("GET", BLOB, [("range", "bytes=5-9")]) as response:
        assert (response.status, response.read(3), response.read()) == (206, DATA[5:8], DATA[8:10])
        assert (response.header("content-range"), response.trailers) == (f"bytes 5-9/{len(DATA)}", [])
    with plugin.request("HEAD", BLOB) as response:
        assert (response.status, response.header("content-length")) == (200, str(len(DATA)))


def test_a_registry_reads_from_the_store(spawn: Callable[..., Plugin], store: Store) -> None:
    registry = RemoteRegistry(spawn())
    with registry.open_blob("a", DIGEST) as content:
        assert content.read() == DATA
    with registry.open_blob("a", DIGEST, 7, 70_000) as content:
        assert content.read() == DATA[7:70_000]
    assert [fields.get("range") for _, _, fields in store.seen] == [None, "bytes=7-69999"]


def test_content_of_unknown_length(spawn: Callable[..., Plugin]) -> None:
    with spawn("chunked").request("GET", BLOB) as response:
        assert (response.header("content-length"), b"".join(response)) == (None, b"hello")


def test_nothing_is_redirected_unless_asked_for(spawn: Callable[..., Plugin], store: Store) -> None:
    with spawn(redirects=False).request("GET", BLOB) as response:
        assert (response.status, response.read()) == (200, DATA)
    with spawn().request("GET", BLOB, follow=False) as response:
        assert (response.status, response.read()) == (307, b"")
    assert store.seen == []


@pytest.fixture(params=["plugin", "httpx", "async httpx", "requests"])
def get(request: pytest.FixtureRequest) -> Iterator[Callable[..., tuple[int, bytes, dict[str, str]]]]:
    """Gets the blob in each of the ways there are, with secrets among the fields."""
    opened: list[Any] = []

    def get(
        plugin: Plugin, timeout: float = 20, fields: list[tuple[str, str]] = SECRETS
    ) -> tuple[int, bytes, dict[str, str]]:
        if request.param == "plugin":
            with plugin.request("GET", BLOB, fields, patience=timeout) as response:
                return response.status, response.read(), dict(response.headers)
        if request.param == "httpx":
            opened.append(httpx.Client(transport=UdistTransport(plugin), base_url="http://udist"))
            answer = opened[-1].get(BLOB, headers=dict(fields), timeout=timeout)
            return answer.status_code, answer.content, dict(answer.headers)
        if request.param == "async httpx":
            answer = anyio.run(get_async, plugin, timeout, fields)
            return answer.status_code, answer.content, dict(answer.headers)
        opened.append(requests.Session())
        opened[-1].mount("http://udist", UdistAdapter(plugin))
        said = opened[-1].get(f"http://udist{BLOB}", headers=dict(fields), timeout=timeout)
        assert not opened[-1].cookies
        return said.status_code, said.content, {key.lower(): value for key, value in said.headers.items()}

    yield get
    for each in opened:
        each.close()


async def get_async(plugin: Plugin, timeout: float, fields: list[tuple[str, str]]) -> httpx.Response:
    transport = AsyncUdistTransport(AsyncPlugin.of(plugin))
    async with httpx.AsyncClient(transport=transport, base_url="http://udist", timeout=timeout) as client:
        return await client.get(BLOB, headers=fields)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_is_cancelled_waits_for_no_store(
    spawn: Callable[..., Plugin], store: Store, backend: str
) -> None:
    async def cancelled() -> None:
        plugin = AsyncPlugin.of(spawn("silent"))
        async with anyio.create_task_group() as group:
            group.start_soon(plugin.request, "GET", BLOB)
            assert await anyio.to_thread.run_sync(store.hanging.wait, 20)
            group.cancel_scope.cancel()
        await plugin.aclose()

    anyio.run(cancelled, backend=backend)
    for thread in threading.enumerate():
        if thread.name == "udist-async":
            thread.join(20)
            assert not thread.is_alive()


@pytest.mark.parametrize("kind", ["files", "moved"])
def test_every_transport_follows(
    spawn: Callable[..., Plugin],
    get: Callable[..., tuple[int, bytes, dict[str, str]]],
    store: Store,
    kind: str,
) -> None:
    status, content, fields = get(spawn(kind))
    assert (status, content, fields["docker-content-digest"]) == (200, DATA, DIGEST)
    assert not {"location", "set-cookie"} & set(fields)
    told = {name for _, _, fields in store.seen for name in fields}
    assert told - {"host", "connection", "accept"} == {"accept-encoding", "user-agent"}
    assert {fields["user-agent"] for _, _, fields in store.seen} == {"me/1"}
    assert {fields["accept-encoding"] for _, _, fields in store.seen} == {"identity"}
    assert get(spawn(kind), fields=[("range", "bytes=5-9")])[:2] == (206, DATA[5:10])


def test_every_transport_takes_the_environments_proxy(
    spawn: Callable[..., Plugin],
    get: Callable[..., tuple[int, bytes, dict[str, str]]],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", store.url)
    assert get(spawn(base="http://bucket.example/files"))[:2] == (200, DATA)
    assert store.seen[0][1].startswith("http://bucket.example/files/")


def test_no_transport_takes_a_proxy_that_the_environment_excepts(
    spawn: Callable[..., Plugin],
    get: Callable[..., tuple[int, bytes, dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert get(spawn())[:2] == (200, DATA)


FAILURES: dict[str, tuple[Any, ...]] = {
    "denied": ("it answered 403", RedirectFailed, httpx.ReadError, requests.ConnectionError),
    "loop": ("more than 5 redirects", RedirectFailed, httpx.ReadError, requests.ConnectionError),
    "nowhere": ("not with where to go on", RedirectFailed, httpx.ReadError, requests.ConnectionError),
    "silent": ("", DeadlineExceeded, httpx.ReadTimeout, requests.ReadTimeout),
    "nobody": ("refused", RedirectFailed, httpx.ConnectError, httpx.ReadError, requests.ConnectionError),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_names_the_store_and_the_way_out(
    spawn: Callable[..., Plugin],
    get: Callable[..., tuple[int, bytes, dict[str, str]]],
    kind: str,
) -> None:
    says, *errors = FAILURES[kind]
    gone = "http://127.0.0.1:1/secret"
    plugin = spawn(base=gone) if kind == "nobody" else spawn(kind)
    with pytest.raises(tuple(errors)) as failed:
        get(plugin, timeout=0.5)
    assert says in str(failed.value)
    assert "without Plugin(redirects=True) the plugin sends it itself" in str(failed.value)
    assert "the content is at http://127.0.0.1:" in str(failed.value)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize("kind", ["cut", "stalls"])
def test_content_that_does_not_end_is_an_error(
    spawn: Callable[..., Plugin],
    get: Callable[..., tuple[int, bytes, dict[str, str]]],
    kind: str,
) -> None:
    with pytest.raises((TransportError, httpx.TransportError, requests.RequestException)):
        get(spawn(kind), timeout=0.5)


@pytest.mark.parametrize("kind", ["silent", "stalls"])
def test_the_time_of_the_exchange_goes_on(spawn: Callable[..., Plugin], kind: str) -> None:
    begun = time.monotonic()
    with (
        pytest.raises(DeadlineExceeded),
        spawn(kind).request("GET", BLOB, timeout=0.8) as response,
    ):
        response.read()
    assert time.monotonic() - begun < 10


def test_closing_ends_a_read(spawn: Callable[..., Plugin], store: Store) -> None:
    response = spawn("stalls").request("GET", BLOB)
    raised: list[BaseException] = []

    def read() -> None:
        try:
            response.read()
        except BaseException as error:
            raised.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert store.hanging.wait(20)
    response.close()
    reader.join(20)
    assert [type(error) for error in raised] == [Cancelled]
    with pytest.raises(Cancelled):
        response.read(1)


def test_httpx_follows_with_the_client_it_was_given(spawn: Callable[..., Plugin]) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b"mocked")

    network = httpx.Client(transport=httpx.MockTransport(answer))
    with httpx.Client(transport=UdistTransport(spawn(), network), base_url="http://udist") as client:
        assert client.get(BLOB).content == b"mocked"
    assert asked[0].url.path.endswith("/data")
    assert network.is_closed


class Answer:
    """A plugin's redirect."""

    status = 307

    def __init__(self, location: str | None) -> None:
        self._location = location

    def header(self, _: str, /) -> str | None:
        return self._location


@pytest.mark.parametrize(
    ("method", "target", "location", "followed"),
    [
        ("GET", BLOB, "https://store/x?y", True),
        ("HEAD", BLOB, "http://store:9000/x", True),
        ("PUT", BLOB, "https://store/x", False),
        ("GET", "/v2/a/manifests/v1", "https://store/x", False),
        *(
            ("GET", BLOB, location, False)
            for location in (
                None,
                "",
                "/v2/b",
                "ftp://store/x",
                "https:///x",
                "https://store:port/x",
                "https://store/a b",
                "https://store/\u00fc",
                "https://[::1/x",
            )
        ),
    ],
)
def test_what_is_a_redirect_to_a_store(
    method: str, target: str, location: str | None, followed: bool
) -> None:
    assert redirects.location_of(method, target, Answer(location)) == (location if followed else None)


def test_encryption_is_kept() -> None:
    asked: list[str] = []

    def fetch(url: str) -> redirects.Fetched:
        asked.append(url)
        return redirects.Fetched(302, "http://store/plain?secret", lambda: None)

    with pytest.raises(RedirectFailed, match="https://store, and could not be had") as failed:
        redirects.follow("https://me:secret@store/x?secret", fetch)
    assert "secret" not in str(failed.value)
    assert len(asked) == 1
