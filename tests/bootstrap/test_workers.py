"""An application made before its server forks workers: each looks after the store, with what is its own."""

from __future__ import annotations

import http.client
import io
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.drivers.scripted import Reply, Request, scripted
from tests.forked import forked
from tests.http_api.wsgi import Answer, Client
from udist_plugin import create_app
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from udist_plugin.service import RegistryApp

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),  # what is tried here
]

CONTENT = os.urandom(3 << 20)
DIGEST = Digest.of(CONTENT)
PUSH = f"/v2/some/name/blobs/uploads/?digest={DIGEST}"
BLOB = f"/v2/some/name/blobs/{DIGEST}"
PATIENCE = 30.0
"""Seconds for a thread to do what it does every few milliseconds."""


def watched(storage: dict[str, object], down: Path) -> dict[str, object]:
    """A configuration whose health is that ``down`` is not there, and which purges uploads."""
    return {
        "version": 0.1,
        "log": {"accesslog": {"disabled": False}},
        "storage": {**storage, "maintenance": {"uploadpurging": {"enabled": True}}},
        "health": {"file": [{"file": str(down), "interval": "10ms"}]},
    }


@pytest.fixture
def down(tmp_path: Path) -> Path:
    return tmp_path / "down"


@pytest.fixture
def app(down: Path, tmp_path: Path) -> Iterator[RegistryApp]:
    with create_app(watched({"filesystem": {"rootdirectory": str(tmp_path / "store")}}, down)) as app:
        yield app


def jobs() -> list[str]:
    names = [each.name for each in threading.enumerate()]
    return sorted(name for name in names if name in ("udist-health", "udist-purge"))


def until(status: int, ask: Callable[[], int]) -> None:
    """Asks until the answer is ``status``: there is no other sign of what a check has seen."""
    deadline = time.monotonic() + PATIENCE
    while (found := ask()) != status:
        assert time.monotonic() < deadline, f"still {found}"
        time.sleep(0.01)


def test_a_worker_goes_on_with_health_checks_and_purging(app: RegistryApp, down: Path) -> None:
    client = Client(app)

    def work() -> None:
        assert jobs() == []
        threads = [threading.Thread(target=client.get, args=("/v2/",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert jobs() == ["udist-health", "udist-purge"]
        down.touch()
        until(503, lambda: client.get("/v2/").status)
        down.unlink()
        until(200, lambda: client.get("/v2/").status)
        app.close()
        assert jobs() == []

    assert jobs() == ["udist-health", "udist-purge"]
    forked(work)
    assert client.get("/v2/").status == 200
    assert jobs() == ["udist-health", "udist-purge"]
    down.touch()
    until(503, lambda: client.get("/v2/").status)


def test_a_worker_of_a_worker_does_too(app: RegistryApp) -> None:
    def work() -> None:
        assert Client(app).get("/v2/").status == 200
        assert jobs() == ["udist-health", "udist-purge"]

    def work_twice() -> None:
        work()
        forked(work)

    forked(work_twice)


def test_a_worker_that_calls_the_registry_calls_its_own(app: RegistryApp) -> None:
    inherited = app.registry.inner

    def work() -> None:
        assert app.registry.inner is not inherited
        app.registry.push_blob("some/name", DIGEST, io.BytesIO(CONTENT))

    forked(work)
    assert app.registry.inner is inherited
    assert app.registry.has_blob("some/name", DIGEST)


def test_a_child_that_serves_nothing_starts_nothing(app: RegistryApp) -> None:
    def close() -> None:
        app.close()
        assert jobs() == []

    forked(close)
    assert jobs() == ["udist-health", "udist-purge"]


def test_workers_share_the_store(app: RegistryApp) -> None:
    forked(lambda: pushed(Client(app)))
    assert Client(app).get(BLOB).content == CONTENT
    forked(lambda: same(Client(app)))


def pushed(client: Client) -> None:
    assert client.request("POST", PUSH, content=CONTENT).status == 201


def same(client: Client) -> None:
    assert client.get(BLOB).content == CONTENT


def test_a_worker_keeps_its_copy_of_what_was_in_memory(down: Path) -> None:
    with create_app(watched({"inmemory": {}}, down)) as app:
        pushed(Client(app))
        forked(lambda: same(Client(app)))


def test_a_lock_that_the_parent_held_holds_up_no_worker(app: RegistryApp) -> None:
    """A thread of the parent is amid a request when it forks."""
    reading, enough = threading.Event(), threading.Event()

    class Slow:
        def read(self, size: int = -1, /) -> bytes:
            reading.set()
            assert enough.wait(PATIENCE)
            return b""

    thread = threading.Thread(target=Client(app).request, args=("POST", PUSH), kwargs={"content": Slow()})
    thread.start()
    try:
        assert reading.wait(PATIENCE)
        forked(lambda: pushed(Client(app)))
    finally:
        enough.set()
        thread.join()


def test_each_request_is_logged_once(app: RegistryApp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "udist_plugin.access")

    def ask() -> None:
        caplog.clear()
        Client(app).get("/v2/")
        assert len(caplog.messages) == 1

    forked(ask)


def test_a_worker_that_cannot_open_the_store_says_so_and_tries_again(
    app: RegistryApp, tmp_path: Path
) -> None:
    def try_twice() -> None:
        store = tmp_path / "store"
        pushed_before = store.exists()
        if pushed_before:
            store.rename(tmp_path / "away")
        store.write_text("no folder")
        answer = Client(app).get("/v2/")
        assert (answer.status, answer.code) == (503, "UNAVAILABLE")
        assert "this worker cannot open the store" in answer.log
        assert str(store) in answer.log
        assert jobs() == []
        store.unlink()
        assert Client(app).get("/v2/").status == 200
        assert jobs() == ["udist-health", "udist-purge"]

    forked(try_twice)


EMPTY = b"<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"


@pytest.mark.parametrize("act", [lambda ask: ask(), forked], ids=["the same process", "a worker"])
def test_a_worker_has_connections_of_its_own(act: Callable[[Callable[[], object]], object]) -> None:
    """Two processes that use one connection get each other's answers."""
    ports: set[int] = set()

    def nothing(request: Request) -> Reply:
        if request.method == "HEAD":
            return Reply(404)
        ports.add(request.port)
        return Reply(200, EMPTY)

    with scripted(nothing) as url:
        s3 = {"regionendpoint": url, "bucket": "b", "accesskey": "a", "secretkey": "s"}
        with create_app({"version": 0.1, "storage": {"s3": s3}}) as app:

            def ask() -> None:
                assert Client(app).get("/v2/some/name/tags/list").status == 404

            ask()
            before = set(ports)
            act(ask)
            assert bool(ports - before) == (act is forked)


MODULE = """
import os
from udist_plugin import create_app

app = create_app({config!r})

def application(environ, start_response):
    def start(status, fields, *more):
        return start_response(status, [*fields, ("X-Process", str(os.getpid()))], *more)
    return app(environ, start)
"""


class Connection(http.client.HTTPConnection):
    """To a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


@contextmanager
def gunicorn(folder: Path, config: object, *options: str) -> Iterator[Callable[..., tuple[Answer, str]]]:
    """gunicorn with two workers that it forked after the application was made, and how to ask it: the answer,
    and which worker gave it."""
    (folder / "module.py").write_text(MODULE.format(config=config))
    path = str(folder / "socket")
    command = [sys.executable, "-m", "gunicorn", "--preload", "-w", "2", "-b", f"unix:{path}", *options]
    log = (folder / "gunicorn.log").open("w+")
    server = subprocess.Popen([*command, "module:application"], cwd=folder, stdout=log, stderr=log)

    def ask(method: str, target: str, content: Any = None, **options: Any) -> tuple[Answer, str]:
        connection = Connection(path)
        try:
            connection.request(method, target, content, **options)
            answer = connection.getresponse()
            fields = answer.getheaders()
            return Answer(answer.status, fields, answer.read()), answer.headers["X-Process"]
        finally:
            connection.close()

    def listening() -> int:
        assert server.poll() is None, (folder / "gunicorn.log").read_text()
        try:
            return ask("GET", "/v2/")[0].status
        except OSError:
            return 0

    try:
        until(200, listening)
        yield ask
    finally:
        server.terminate()
        server.wait(30)
        log.close()


@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_gunicorn_with_preload(tmp_path: Path, down: Path, kind: str) -> None:
    config = watched({"filesystem": {"rootdirectory": str(tmp_path / "store")}}, down)
    with gunicorn(tmp_path, config, "-k", kind) as ask:

        def all_workers(status: int) -> None:
            """Waits until both have given that answer in a row."""
            seen: dict[str, int] = {}

            def settled() -> int:
                answer, worker = ask("GET", "/v2/")
                seen[worker] = answer.status
                return status if len(seen) == 2 and set(seen.values()) == {status} else 0

            until(status, settled)

        all_workers(200)
        down.touch()
        all_workers(503)
        down.unlink()
        all_workers(200)
        halves = iter([CONTENT[: 1 << 20], CONTENT[1 << 20 :]])
        assert (
            ask("POST", PUSH, halves, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})[0].status
            == 201
        )
        assert ask("GET", BLOB)[0].content == CONTENT
