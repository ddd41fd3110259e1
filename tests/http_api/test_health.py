from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.wsgi import Client
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.middleware.checks import CheckFailed, file_check, http_check, tcp_check
from udist_plugin.http_api.middleware.health import Check, Health

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from udist_plugin.registry import Registry


class Upstream(BaseHTTPRequestHandler):
    """Answers with the status its path names; ``/moved`` leads to ``/200``."""

    def do_HEAD(self) -> None:
        self.server.seen.append((self.command, self.headers["X-Probe"]))  # type: ignore[attr-defined]
        self.server.logins.append(  # type: ignore[attr-defined]
            (self.headers["Authorization"], self.headers["Cookie"])
        )
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/200")
        else:
            self.send_response(int(self.path[1:]))
        self.end_headers()

    def do_GET(self) -> None:  # urllib follows a redirect of HEAD so before Python 3.13
        self.do_HEAD()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        server.seen, server.logins = [], []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class TestChecks:
    def test_a_file_that_is_there_fails(self, tmp_path: Path) -> None:
        look = file_check(str(tmp_path / "down"))
        look()
        (tmp_path / "down").touch()
        with pytest.raises(CheckFailed, match=r"^file exists$"):
            look()
        with pytest.raises(CheckFailed, match="Not a directory"):
            file_check(str(tmp_path / "down" / "below"))()

    def test_a_status_that_is_not_expected_fails(self, upstream: ThreadingHTTPServer) -> None:
        root = f"http://127.0.0.1:{upstream.server_port}"
        fields = {"X-Probe": ("a", "b")}
        http_check(f"{root}/200", 200, 5, fields)()
        assert upstream.seen == [("HEAD", "a, b")]  # type: ignore[attr-defined]
        http_check(f"{root}/404", 404, 5, {})()
        http_check(f"{root}/moved", 200, 5, {})()
        for found, expected in ((500, 200), (404, 200), (200, 204)):
            with pytest.raises(CheckFailed) as caught:
                http_check(f"{root}/{found}", expected, 5, {})()
            assert (
                str(caught.value) == f"{root}/{found}: downstream service returned unexpected status: {found}"
            )

    def test_a_login_in_the_url_is_sent_to_it_alone_and_shown_to_nobody(
        self, upstream: ThreadingHTTPServer
    ) -> None:
        host = f"127.0.0.1:{upstream.server_port}"
        http_check(f"http://me:s3c%40ret@{host}/200", 200, 5, {})()
        http_check(f"http://me:s3c%40ret@{host}/moved", 200, 5, {"Cookie": ("a=b",)})()
        login = "Basic bWU6czNjQHJldA=="
        assert upstream.logins == [(login, None), (login, "a=b"), (None, None)]  # type: ignore[attr-defined]
        with pytest.raises(CheckFailed, match=rf"^http://{host}/500: downstream"):
            http_check(f"http://me:s3c%40ret@{host}/500", 200, 5, {})()

    def test_an_answer_that_does_not_come_fails_in_time(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            uri = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            with pytest.raises(CheckFailed, match=f"^{uri}: error while checking: .*timed out"):
                http_check(uri, 200, 0.05, {})()
        with pytest.raises(CheckFailed, match=f"^{uri}: error while checking: .*refused"):
            http_check(uri, 200, 5, {})()
        with pytest.raises(CheckFailed, match=r"^http://\[x/: error while checking: "):
            http_check("http://a:b@[x/", 200, 5, {})()

    def test_an_address_that_takes_no_connection_fails(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            tcp_check(f"127.0.0.1:{port}", 5)()
            tcp_check(f":{port}", 5)()
        for address in (f"127.0.0.1:{port}", f"[::1]:{port}", "nothing"):
            with pytest.raises(CheckFailed) as caught:
                tcp_check(address, 5)()
            assert str(caught.value).startswith(f"{address}: connection failed: ")


class Steps:
    """A check whose looks a test takes one at a time, and decides."""

    def __init__(self) -> None:
        self._asked = threading.Semaphore(0)
        self._looked = threading.Semaphore(0)
        self._answer: list[Exception | None] = []

    def look(self) -> None:
        self._looked.release()
        assert self._asked.acquire(timeout=10)
        if self._answer and (error := self._answer.pop(0)):
            raise error

    def take(self, error: Exception | None = None) -> None:
        """Lets the look that has begun end with ``error``; returns when the next one has begun."""
        assert self._looked.acquire(timeout=10)
        self._answer.append(error)
        self._asked.release()
        assert self._looked.acquire(timeout=10)
        self._looked.release()

    def end(self) -> None:
        """Lets every look end."""
        for _ in range(1000):
            self._asked.release()


@contextmanager
def watched(registry: Registry, threshold: int = 0) -> Iterator[tuple[Client, Steps, list[tuple[str, str]]]]:
    steps, lines = Steps(), list[tuple[str, str]]()
    health = Health(Application(registry), [Check("it", steps.look, 0.001, threshold)])
    health.start(lambda level, message: lines.append((level, message)))
    try:
        yield Client(health), steps, lines
    finally:
        steps.end()
        health.close()


class TestHealth:
    def test_nothing_is_served_while_a_check_fails(self, registry: Registry) -> None:
        with watched(registry) as (client, steps, lines):
            assert client.get("/v2/").status == 200
            assert (client.get("/debug/health").status, client.get("/debug/health").json()) == (200, {})
            steps.take(CheckFailed("not well"))
            steps.take(CheckFailed("still not well"))
            for target in ("/v2/", "/v2/_catalog", "/elsewhere"):
                answer = client.get(target)
                assert (answer.status, answer.code) == (503, "UNAVAILABLE")
                assert answer.json()["errors"] == [
                    {
                        "code": "UNAVAILABLE",
                        "message": "service unavailable",
                        "detail": "health check failed: please see /debug/health",
                    }
                ]
            assert client.head("/v2/").status == 503
            told = client.get("/debug/health")
            assert (told.status, told.json()) == (503, {"it": "still not well"})
            assert told.field("content-type") == "application/json"
            assert client.request("POST", "/debug/health").code == "UNAVAILABLE"
            steps.take()
            assert client.get("/v2/").status == 200
            assert client.get("/debug/health").json() == {}
            assert lines == [
                ("error", "health check failed: it: not well"),
                ("info", "health check passed again: it"),
            ]

    def test_a_threshold_counts_failures_in_a_row(self, registry: Registry) -> None:
        with watched(registry, 3) as (client, steps, _):
            statuses = []
            for well in (False, False, True, False, False, False, True):
                steps.take(None if well else CheckFailed("not well"))
                statuses.append(client.get("/v2/").status)
            assert statuses == [200, 200, 200, 200, 200, 503, 200]

    def test_a_check_that_breaks_fails(self, registry: Registry) -> None:
        with watched(registry) as (client, steps, _):
            steps.take(KeyError("a driver of somebody else's"))
            assert client.get("/debug/health").json() == {"it": '"a driver of somebody else\'s"'}

    def test_its_threads_end_with_it(self, registry: Registry) -> None:
        before = threading.active_count()
        with watched(registry):
            assert threading.active_count() == before + 1
        assert threading.active_count() == before
