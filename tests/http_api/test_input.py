"""What servers hand an application for a request's content (PEP 3333), and some of them oddly."""

from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin.http_api.request import Request
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from tests.http_api.wsgi import Client

CONTENT = b"some content" * 1000
DIGEST = Digest.of(CONTENT)
PUSH = f"/v2/some/name/blobs/uploads/?digest={DIGEST}"
BLOB = f"/v2/some/name/blobs/{DIGEST}"


class Input:
    """Only what PEP 3333 names, and ``read`` not without a size, as Apache's and uWSGI's once had it."""

    def __init__(self, content: bytes, most: int = 1 << 20) -> None:
        self._file = io.BytesIO(content)
        self._most = most

    def read(self, size: int, /) -> Any:
        assert size > 0
        return self._file.read(min(size, self._most))

    def readline(self) -> bytes:
        raise AssertionError("content has no lines")


class Buffers(Input):
    """Gives its buffers instead of bytes."""

    def read(self, size: int, /) -> Any:
        return bytearray(super().read(size))


class Cut(Input):
    """Its client goes away."""

    def __init__(self, number: int) -> None:
        super().__init__(CONTENT[:100])
        self._number = number

    def read(self, size: int, /) -> Any:
        if data := super().read(size):
            return data
        raise OSError(self._number, "request data read error")


class Text(Input):
    def read(self, size: int, /) -> Any:
        return super().read(size).decode()


class TooMuch(Input):
    def read(self, size: int, /) -> Any:
        return CONTENT + b"the next request"


class Nothing(Input):
    """A socket that does not block."""

    def read(self, size: int, /) -> Any:
        return None


def push(client: Client, source: object, **environ: object) -> Any:
    given = {"wsgi.input": source, "CONTENT_LENGTH": str(len(CONTENT))} | environ
    return client.request("POST", PUSH, environ=given)


@pytest.mark.parametrize("length", [str(len(CONTENT)), len(CONTENT)], ids=["text", "number"])
@pytest.mark.parametrize("source", [Input, lambda content: Input(content, 7), Buffers])
def test_what_a_server_may_give_is_read(client: Client, source: Any, length: object) -> None:
    assert push(client, source(CONTENT), CONTENT_LENGTH=length).status == 201
    assert client.get(BLOB).content == CONTENT


def test_an_input_with_an_end_is_read_to_it(client: Client) -> None:
    assert push(client, Input(CONTENT, 7), CONTENT_LENGTH="", **{"wsgi.input_terminated": True}).status == 201
    assert client.get(BLOB).content == CONTENT


@pytest.mark.parametrize("length", ["0", 0, "", None])
def test_without_content_no_input_is_needed(client: Client, length: object) -> None:
    for source in (None, object()):
        environ = {"wsgi.input": source, "CONTENT_LENGTH": length, "CONTENT_TYPE": None}
        location = client.request("POST", "/v2/some/name/blobs/uploads/", environ=environ).field("location")
        assert client.request("PATCH", location, environ=environ).status == 202
        empty = Digest.of(b"")
        assert client.request("PUT", f"{location}?digest={empty}", environ=environ).status == 201
        assert client.request("PUT", "/v2/some/name/manifests/v1", environ=environ).code == "MANIFEST_INVALID"


def test_a_client_that_goes_away_is_refused_without_a_trace(client: Client) -> None:
    answer = push(client, Cut(errno.ECONNRESET))
    assert (answer.status, answer.code, answer.log) == (400, "SIZE_INVALID", "")
    assert "could not be read to its end" in answer.content.decode()
    assert client.get(BLOB).status == 404


def test_a_server_without_descriptors_is_asked_later(client: Client) -> None:
    assert push(client, Cut(errno.EMFILE)).status == 503
    assert client.get(BLOB).status == 404


def test_content_is_read_as_a_file_is() -> None:
    environ = {"REQUEST_METHOD": "PUT", "wsgi.input": Input(CONTENT), "CONTENT_LENGTH": str(len(CONTENT))}
    content = Request(environ, "/v2/").content
    assert content.read(0) == b""
    assert content.read(5) + content.read() == CONTENT


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (None, "wsgi.input has no read (PEP 3333): it is NoneType"),
        (object(), "wsgi.input has no read (PEP 3333): it is object"),
        (Text(CONTENT), "(PEP 3333): str"),
        (TooMuch(CONTENT), "(PEP 3333): bytes"),
        (Nothing(CONTENT), "(PEP 3333): NoneType"),
    ],
    ids=["none", "no read", "text", "too much", "nothing yet"],
)
def test_an_input_that_is_none_is_named_in_the_log(client: Client, source: object, problem: str) -> None:
    answer = push(client, source)
    assert answer.status == 500
    assert problem in answer.log
    assert client.get(BLOB).status == 404


def test_a_path_may_be_left_out(client: Client) -> None:
    def without(environ: dict[str, Any], start_response: Any) -> Any:
        del environ["PATH_INFO"]
        return application(environ, start_response)

    application, client.application = client.application, without
    assert client.get("").status == 404
