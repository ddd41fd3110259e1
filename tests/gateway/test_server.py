"""HTTP/1.1 as clients send it, right and wrong, on a socket of this process."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.gateway.udist import eventually
from udist_plugin.bootstrap.apps import create_app
from udist_plugin.gateway import content, server
from udist_plugin.gateway.credential import Credential, Guarded
from udist_plugin.gateway.listener import on_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREDENTIAL = Credential("udist", "secret")
AUTHORIZATION = {"Authorization": f"Basic {CREDENTIAL.basic}"}
LOGIN = f"Authorization: Basic {CREDENTIAL.basic}\r\n".encode()


class Served(NamedTuple):
    """A server, its port, and what it has logged."""

    port: int
    log: list[tuple[str, str]]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def raw(self, data: bytes) -> bytes:
        """What comes back for ``data``, up to the end of the connection."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as client:
            client.sendall(data)
            return b"".join(iter(lambda: client.recv(1 << 16), b""))


class Errors:
    """``wsgi.errors`` that fails the test."""

    def write(self, text: str) -> int:
        raise AssertionError(text)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    log: list[tuple[str, str]] = []

    def record(level: str, message: str) -> None:
        log.append((level, message))

    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path / "store")}}}
    with create_app(config, {}) as app, on_loopback() as listener:
        serving = server.Server(listener, Guarded(app, CREDENTIAL, record), record, Errors())
        thread = threading.Thread(target=serving.serve)
        thread.start()
        yield Served(listener.getsockname()[1], log)
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(20)
        assert not thread.is_alive()
    assert [entry for entry in log if entry[0] == "error"] == []


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def begin(connection: http.client.HTTPConnection) -> str:
    """The target of a new upload."""
    connection.request("POST", "/v2/demo/blobs/uploads/", headers=AUTHORIZATION)
    response = connection.getresponse()
    response.read()
    assert response.status == 202
    location = response.headers["Location"]
    assert location is not None
    return location


def new_upload(served: Served) -> str:
    with closing(served.connect()) as connection:
        return begin(connection)


def conversations() -> int:
    """Connections that the server has open."""
    return sum(thread.name == server.NAME for thread in threading.enumerate())


def push(served: Served, data: bytes) -> str:
    digest = digest_of(data)
    connection = served.connect()
    connection.request("PUT", f"{begin(connection)}?digest={digest}", data, AUTHORIZATION)
    response = connection.getresponse()
    assert (response.status, response.read()) == (201, b"")
    connection.close()
    return digest


@pytest.mark.parametrize("size", [0, 1, content.SIZE - 1, content.SIZE, content.SIZE + 1, 5_000_000])
def test_a_blob_comes_back(served: Served, size: int) -> None:
    data = os.urandom(size)
    digest = push(served, data)
    connection = served.connect()
    for headers, status, expected in (
        (AUTHORIZATION, 200, data),
        (AUTHORIZATION | {"Range": "bytes=0-0"}, 206, data[:1]),
    ):
        connection.request("GET", f"/v2/demo/blobs/{digest}", headers=headers)
        response = connection.getresponse()
        assert (response.status, response.read()) == (status if size else 200, expected)
    connection.request("HEAD", f"/v2/demo/blobs/{digest}", headers=AUTHORIZATION)
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Length"], response.read()) == (200, str(size), b"")
    connection.close()


@pytest.mark.parametrize(
    "sizes", [[1], [1, 2, 3], [32 << 10] * 40, [content.SIZE * 2, 1], [700_000, 5, 700_000]]
)
def test_chunked_content(served: Served, sizes: list[int]) -> None:
    chunks = [os.urandom(size) for size in sizes]
    connection = served.connect()
    target = begin(connection)
    connection.request("PATCH", target, iter(chunks), AUTHORIZATION, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, response.read()) == (202, b"")
    assert response.headers["Range"] == f"0-{sum(sizes) - 1}"
    target = f"{response.headers['Location']}?digest={digest_of(b''.join(chunks))}"
    connection.request("PUT", target, headers=AUTHORIZATION | {"Content-Length": "0"})
    response = connection.getresponse()
    assert (response.status, response.read()) == (201, b"")
    connection.close()


def test_chunks_with_extensions_and_trailers(served: Served) -> None:
    target = new_upload(served).encode()
    answer = served.raw(
        b"PATCH " + target + b" HTTP/1.1\r\nHost: x\r\n" + LOGIN + b"Transfer-Encoding: chunked\r\n\r\n"
        b"3;name=value\r\nabc\r\n000A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
        b"GET /v2/ HTTP/1.1\r\nHost: x\r\n" + LOGIN + b"Connection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 202 Accepted\r\n")
    assert b"\r\nRange: 0-12\r\n" in answer
    assert answer.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize(
    "chunks",
    [
        *(
            b"x\r\nabc\r\n",
            b"-3\r\nabc\r\n",
            b"\r\n",
            b"2\r\nabc\r\n",
            b"f" * 300,
            b"5\r\nab",
            b"3\r\nabc\r\n",
        ),
        *(b"0x3\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n0\r\n" + b"A: 1\r\n" * (content.TRAILERS + 1) + b"\r\n"),
    ],
)
def test_malformed_or_cut_chunks_are_not_committed(served: Served, chunks: bytes) -> None:
    target = new_upload(served)
    head = f"PATCH {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n".encode() + LOGIN + b"\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 20) as client:
        client.sendall(head + chunks)
        client.shutdown(socket.SHUT_WR)
        assert not client.recv(1 << 16).startswith(b"HTTP/1.1 2")


def test_content_that_is_cut_is_not_committed(served: Served) -> None:
    target = f"{new_upload(served)}?digest={digest_of(b'abc')}"
    head = f"PUT {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n".encode() + LOGIN + b"\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 20) as client:
        client.sendall(head + b"abc")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1 << 16) == b""
    connection = served.connect()
    connection.request("HEAD", f"/v2/demo/blobs/{digest_of(b'abc')}", headers=AUTHORIZATION)
    assert connection.getresponse().status == 404
    connection.close()


def test_expect_continue(served: Served) -> None:
    target = new_upload(served)
    head = f"PATCH {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n".encode()
    with socket.create_connection(("127.0.0.1", served.port), 20) as client:
        client.sendall(head + LOGIN + b"\r\n")
        assert client.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert client.recv(1 << 16).startswith(b"HTTP/1.1 202 Accepted\r\n")


@pytest.mark.parametrize("length", [b"-1", b"x", b"+3", b"1_0", b"9" * 20, b"3, 3"])
def test_a_length_that_is_none(served: Served, length: bytes) -> None:
    answer = served.raw(b"PUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET", b"400"),
        (b"GET /v2/ HTTP/2.0", b"505"),
        (b"get /v2/ HTTP/1.1", b"400"),
        (b"GET /" + b"x" * server.HEAD_MAX + b" HTTP/1.1", b"414"),
        (b"GET //[ HTTP/1.1", b"400"),
        (b"GET /v2/ HTTP/1.1\r\n folded: 1", b"400"),
        (b"GET /v2/ HTTP/1.1\r\nA: 1\r\n folded", b"400"),
        (b"GET /v2/ HTTP/1.1\r\nContent-Length : 3", b"400"),
        (b"GET /v2/ HTTP/1.1\r\n: 3", b"400"),
        (b"GET /v2/ HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 3", b"400"),
        (b"GET /v2/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3", b"400"),
        (b"GET /v2/ HTTP/1.1\r\nTransfer-Encoding: chunked, chunked", b"400"),
        (b"GET /v2/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked", b"501"),
        (b"GET /v2/ HTTP/1.0\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked", b"400"),
    ],
)
def test_a_malformed_head(served: Served, head: bytes, status: bytes) -> None:
    """It is answered, and what follows on the connection is not taken for a request."""
    answer = served.raw(head + b"\r\n\r\nGET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1 ") == 1


def test_authorization_twice(served: Served) -> None:
    assert served.raw(b"GET /v2/ HTTP/1.0\r\n" + 2 * LOGIN + b"\r\n").startswith(b"HTTP/1.1 401 ")


def test_a_head_that_is_too_large(served: Served) -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(100))
    assert served.raw(b"GET /v2/ HTTP/1.1\r\n" + fields + b"\r\n").startswith(b"HTTP/1.1 413")


def test_content_of_a_stranger_is_not_kept(served: Served) -> None:
    """The answer arrives, though the client sends on; the next request needs another connection."""
    connection = served.connect()
    connection.request("PUT", "/v2/demo/blobs/uploads/x", bytes(server.UNREAD // 2))
    response = connection.getresponse()
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="udist exec"'
    assert response.headers["Connection"] == "close"
    assert b"UNAUTHORIZED" in response.read()
    assert [level for level, _ in served.log] == ["info"]


@pytest.mark.parametrize(
    "field",
    ["", "Basic", "Basic x", f"Bearer {CREDENTIAL.basic}", f"Basic {CREDENTIAL.basic}x", "Basic \xff"],
)
def test_other_credentials(served: Served, field: str) -> None:
    connection = served.connect()
    connection.putrequest("GET", "/v2/")
    connection.putheader("Authorization", field.encode("latin-1"))
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, len(response.read()) > 0) == (401, True)
    connection.close()


def test_a_connection_is_used_again_and_others_are_served_beside_it(served: Served) -> None:
    connections = [served.connect() for _ in range(80)]
    for _ in range(2):
        for connection in connections:
            connection.request("GET", "/v2/", headers=AUTHORIZATION)
        for connection in connections:
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, b"{}")
            assert connection.sock is not None
    for connection in connections:
        connection.close()


def test_a_client_that_leaves_in_the_middle_of_a_response_harms_nobody(served: Served) -> None:
    digest = push(served, bytes(20_000_000))
    with socket.create_connection(("127.0.0.1", served.port), 20) as client:
        client.sendall(f"GET /v2/demo/blobs/{digest} HTTP/1.1\r\nHost: x\r\n".encode() + LOGIN + b"\r\n")
        client.recv(1000)
    assert eventually(lambda: conversations() == 0)
    assert push(served, b"still there") == digest_of(b"still there")


def test_a_silent_client_is_left_in_time(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "SILENCE", 0.05)
    assert served.raw(b"") == b""
    monkeypatch.setattr(server, "SILENCE", 20)
    with monkeypatch.context() as quick:
        quick.setattr(server, "HEAD_TIME", 0.05)
        assert served.raw(b"GET /v2/ HTTP/1.1\r\nHost").startswith(b"HTTP/1.1 408 ")
    monkeypatch.setattr(server, "IDLE", 0.05)
    assert served.raw(b"GET /v2/ HTTP/1.1\r\n" + LOGIN + b"\r\n").endswith(b"{}")
    monkeypatch.setattr(server, "STALL", 0.05)
    target = new_upload(served).encode()
    head = b"PATCH " + target + b" HTTP/1.1\r\n" + LOGIN + b"Content-Length: 2\r\n\r\n"
    assert served.raw(head + b"x") == b""


def test_a_head_that_drips_in_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIME", 0.2)
    with socket.create_connection(("127.0.0.1", served.port), 0.02) as client:
        for byte in b"GET /v2/ HTTP/1.1\r\nX: " + b"x" * 500:
            client.sendall(bytes((byte,)))
            with suppress(TimeoutError):
                assert client.recv(1 << 16).startswith(b"HTTP/1.1 408 ")
                return
    pytest.fail("it was waited for")


def test_idle_strangers_have_a_bound_of_their_own(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE", 0.05)
    with socket.create_connection(("127.0.0.1", served.port), 20) as stranger:
        for _ in range(2):
            stranger.sendall(b"GET /v2/ HTTP/1.1\r\n\r\n")
            assert stranger.recv(1 << 16).startswith(b"HTTP/1.1 401 ")
            known = b"GET /v2/ HTTP/1.1\r\n" + LOGIN + b"\r\n"
            assert served.raw(known).endswith(b"{}"), "it is over once the connection was idle"


def test_connections_have_a_bound(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many waits until there is room."""
    silent = [socket.create_connection(("127.0.0.1", served.port), 20) for _ in range(server.CONNECTIONS)]
    late = served.connect()
    late.request("GET", "/v2/", headers=AUTHORIZATION)
    assert eventually(lambda: conversations() == server.CONNECTIONS)
    for client in silent:
        client.close()
    response = late.getresponse()
    assert (response.status, response.read()) == (200, b"{}")
    late.close()
