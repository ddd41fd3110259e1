"""Cold blobs: one fetch for all who want one, given on as it arrives, and whole and right or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.http_api.wsgi import Client
from tests.link.waiting import until
from tests.proxy.upstreams import LAYER, NAME, Scripted, configuration, is_stored, scripted
from tests.remote.serving import Answer
from udist_plugin import create_app
from udist_plugin.errors import BlobUnknown, TransportError, Unavailable, UpstreamFailed
from udist_plugin.oci.digest import Digest
from udist_plugin.proxy import fetching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from udist_plugin.service import RegistryApp

LARGE = LAYER * 5
DIGEST = Digest.of(LARGE)
TARGET = f"blobs/{DIGEST}"
STORES = ("filesystem", "inmemory")


@pytest.fixture
def remote() -> Scripted:
    return Scripted(LARGE, b"")


@pytest.fixture
def app(remote: Scripted, tmp_path: Path) -> Iterator[RegistryApp]:
    with scripted(remote) as url, create_app(configuration(url, tmp_path), {}) as app:
        yield app


def read(app: RegistryApp) -> bytes:
    with app.registry.open_blob(NAME, DIGEST) as content:
        return content.read()


@pytest.mark.parametrize("store", STORES)
def test_many_callers_of_a_cold_blob_cause_one_fetch(store: str, remote: Scripted, tmp_path: Path) -> None:
    with scripted(remote) as url:
        configured = configuration(url, tmp_path)
        if store == "inmemory":
            configured["storage"] = {"inmemory": {}}
        with create_app(configured, {}) as app, ThreadPoolExecutor(20) as pool:
            found = list(pool.map(lambda _: read(app), range(20)))
            assert found == [LARGE] * 20
            until(lambda: app.registry.has_blob(NAME, DIGEST))
            assert read(app) == LARGE
    assert remote.asked == [f"GET {TARGET}"]


def test_a_blob_is_given_on_before_it_is_here(app: RegistryApp, remote: Scripted) -> None:
    go_on = threading.Event()
    remote.answers[TARGET] = [Answer(200, [], LARGE, paused=100_000, go_on=go_on)]
    with app.registry.open_blob(NAME, DIGEST) as content:
        assert content.size == len(LARGE)
        start = b""
        while len(start) < 50_000:
            start += content.read(10_000)
        assert app.registry.resolve_blob(NAME, DIGEST).size == len(LARGE)
        with app.registry.open_blob(NAME, DIGEST, 10, 20) as part:
            assert part.read() == LARGE[10:20]
        assert remote.asked == [f"GET {TARGET}"]
        go_on.set()
        assert start + content.read() == LARGE


def test_who_leaves_does_not_end_the_fetch(app: RegistryApp, remote: Scripted, tmp_path: Path) -> None:
    go_on = threading.Event()
    remote.answers[TARGET] = [Answer(200, [], LARGE, paused=100_000, go_on=go_on)]
    app.registry.open_blob(NAME, DIGEST).close()
    go_on.set()
    until(lambda: is_stored(tmp_path, DIGEST))
    assert read(app) == LARGE
    assert remote.asked == [f"GET {TARGET}"]


def test_an_upstream_that_stops_is_asked_for_the_rest(app: RegistryApp, remote: Scripted) -> None:
    remote.answers[TARGET] = [Answer(200, [], LARGE, cut=len(LARGE) // 2)]
    assert read(app) == LARGE
    assert remote.asked == [f"GET {TARGET}"] * 2


def test_of_an_upstream_that_stops_for_good_nothing_is_kept(
    app: RegistryApp, remote: Scripted, tmp_path: Path
) -> None:
    remote.answers[TARGET] = [Answer(200, [], LARGE, cut=100_000)] + [Answer(206, [], b"", cut=0)] * 10
    with pytest.raises(TransportError, match="upstream registry failed"):
        read(app)
    until(lambda: not fetches())
    assert not is_stored(tmp_path, DIGEST)
    remote.answers.clear()
    assert read(app) == LARGE


@pytest.mark.parametrize("store", STORES)
def test_wrong_bytes_are_never_whole(store: str, remote: Scripted, tmp_path: Path) -> None:
    """The last one is kept back until the digest is known."""
    remote.contents[TARGET] = LARGE[:-1] + b"?", "application/octet-stream"
    with scripted(remote) as url:
        configured = configuration(url, tmp_path)
        if store == "inmemory":
            configured["storage"] = {"inmemory": {}}
        with create_app(configured, {}) as app:
            for _ in range(2):  # the second finds nothing of the first
                given = b""
                with (
                    pytest.raises(TransportError, match="did not match"),
                    app.registry.open_blob(NAME, DIGEST) as content,
                ):
                    while part := content.read(1 << 16):
                        given += part
                assert given == LARGE[:-1]
            assert remote.asked == [f"GET {TARGET}"] * 2


def test_a_blob_without_bytes(app: RegistryApp, tmp_path: Path) -> None:
    empty = Digest.of(b"")
    answer = Client(app).request("GET", f"/v2/{NAME}/blobs/{empty}")
    assert (answer.status, answer.content) == (200, b"")
    until(lambda: is_stored(tmp_path, empty))


def test_what_is_not_upstream_is_unknown(app: RegistryApp) -> None:
    with pytest.raises(BlobUnknown):
        app.registry.open_blob(NAME, Digest.of(b"nowhere"))


def test_more_than_can_be_fetched_at_once_is_refused(
    app: RegistryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FETCHES", 0)
    answer = Client(app).request("GET", f"/v2/{NAME}/{TARGET}")
    assert (answer.status, answer.field("retry-after"), answer.code) == (503, "5", Unavailable.code)


def test_a_thread_that_is_not_to_be_had_is_told(app: RegistryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    app.registry.resolve_blob(NAME, DIGEST)  # whatever needs a thread of its own has it
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        assert Client(app).request("GET", f"/v2/{NAME}/{TARGET}").status == 503
    assert read(app) == LARGE


def test_a_store_that_cannot_be_written_is_told_before_the_answer_begins(
    app: RegistryApp, remote: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from udist_plugin.drivers.filesystem.driver import FilesystemDriver
    from udist_plugin.errors import StorageFull

    def writer(*_: object, **__: object) -> None:
        raise StorageFull("no space left on device")

    monkeypatch.setattr(FilesystemDriver, "writer", writer)
    assert Client(app).request("GET", f"/v2/{NAME}/{TARGET}").status == 507


def test_errors_of_the_upstream_are_the_callers(app: RegistryApp, remote: Scripted) -> None:
    remote.answers[TARGET] = [Answer(500)]
    with pytest.raises(UpstreamFailed):
        app.registry.open_blob(NAME, DIGEST)


def fetches() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "udist-fetch"]
