"""The WSGI transport keeps PEP 3333."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin.errors import StreamReset
from udist_plugin.remote.wsgi import WSGITransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    content = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "x/y"), ("Content-Length", str(len(content)))])
    return [content]


def test_content_goes_both_ways() -> None:
    with WSGITransport(echo).request("PUT", "/a", body=b"hello") as response:
        assert (response.status, response.header("content-type")) == (200, "x/y")
        assert (response.read(2), response.read()) == (b"he", b"llo")
        buffer = bytearray(4)
        assert response.readinto(buffer) == 0


def test_the_environ_is_pep_3333s() -> None:
    seen: dict[str, Any] = {}

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    headers = [("content-type", "x/y"), ("accept", "a/b"), ("accept", "c/d")]
    WSGITransport(application, ["redirect"]).request("GET", "/v2/%C3%BC?n=%31", headers=headers).close()
    assert seen["PATH_INFO"] == "/v2/ü".encode().decode("latin-1")
    assert seen["QUERY_STRING"] == "n=%31"
    assert seen["REQUEST_URI"] == "/v2/%C3%BC?n=%31"
    assert seen["CONTENT_TYPE"] == "x/y"
    assert seen["HTTP_ACCEPT"] == "a/b, c/d"
    assert seen["udist.capabilities"] == {"redirect"}


def test_a_cut_request_is_an_error_for_the_application() -> None:
    with pytest.raises(StreamReset, match="5 bytes before"):
        WSGITransport(echo).request("PUT", "/", headers=[("content-length", "10")], body=io.BytesIO(b"hello"))


def test_no_more_than_the_content_length_is_read() -> None:
    body = io.BytesIO(b"hello world")
    with WSGITransport(echo).request("PUT", "/", headers=[("content-length", "5")], body=body) as response:
        assert response.read() == b"hello"
    assert body.read() == b" world"


def generated(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b""
    yield b"late "
    yield b"head"


def written(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])(b"late ")
    return [b"head"]


def from_file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "9")])
    wrapper: Callable[..., Iterable[bytes]] = environ["wsgi.file_wrapper"]
    return wrapper(io.BytesIO(b"late head and what nobody asked for"))


@pytest.mark.parametrize("application", [generated, written, from_file])
def test_every_way_to_answer_is_understood(application: WSGIApplication) -> None:
    with WSGITransport(application).request("GET", "/") as response:
        assert (response.read(3), response.read()) == (b"lat", b"e head")


def test_a_head_has_no_content() -> None:
    with WSGITransport(from_file).request("HEAD", "/") as response:
        assert (response.header("content-length"), response.read()) == ("9", b"")


def test_closing_closes_the_applications_content() -> None:
    class Content:
        closed = 0

        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a"])

        def close(self) -> None:
            self.closed += 1

    content = Content()

    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return content

    response = WSGITransport(application).request("GET", "/")
    response.close()
    response.close()
    assert content.closed == 1
