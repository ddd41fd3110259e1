from __future__ import annotations

import io
import json
import threading
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from tests.http_api.images import push_blob
from tests.http_api.wsgi import Answer, Client
from udist_plugin.errors import StorageError, StreamReset
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import RegistryWrapper
from udist_plugin.storage.paths import blob_data
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from udist_plugin.drivers import FileWriter, StorageDriver
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import Registry, Upload

CONTENT = b"0123456789" * 300
DIGEST = Digest.of(CONTENT)
MISSING = Digest.of(b"missing")
UPLOADS = "/v2/some/name/blobs/uploads/"


def start(client: Client, query: str = "") -> str:
    """Begins a session and returns its location."""
    answer = client.request("POST", UPLOADS + query)
    assert answer.status == 202
    assert answer.field("range") == "0-0"
    location = answer.field("location")
    assert location == UPLOADS + answer.field("docker-upload-uuid")
    return location


def patch(client: Client, location: str, start: int, end: int) -> Answer:
    """Sends a chunk of ``CONTENT``."""
    fields = {"Content-Range": f"{start}-{end - 1}", "Content-Type": "application/octet-stream"}
    return client.request("PATCH", location, fields, CONTENT[start:end])


def assert_stored(client: Client, answer: Answer, digest: Digest = DIGEST) -> None:
    assert answer.status == 201
    assert answer.field("location") == f"/v2/some/name/blobs/{digest}"
    assert answer.field("docker-content-digest") == digest
    assert client.get(f"/v2/some/name/blobs/{digest}").content == CONTENT


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_post_then_put(client: Client, algorithm: str) -> None:
    digest = Digest.of(CONTENT, algorithm)
    location = start(client)
    assert_stored(client, client.request("PUT", f"{location}?digest={digest}", content=CONTENT), digest)
    assert client.get(location).status == 404


@pytest.mark.parametrize("known_size", [False, True])
def test_a_blob_put_whole_goes_straight_to_its_place(
    client: Client, driver: StorageDriver, known_size: bool
) -> None:
    """An object store would copy it there from the session. A small one is written at once."""
    written: list[str] = []
    writer = driver.writer

    def recorded(path: str, *, append: bool = False) -> FileWriter:
        written.append(path)
        return writer(path, append=append)

    driver.writer = recorded  # type: ignore[method-assign]
    location = start(client)
    content = CONTENT if known_size else io.BytesIO(CONTENT)
    assert_stored(client, client.request("PUT", f"{location}?digest={DIGEST}", content=content))
    assert written == ([] if known_size else [blob_data(DIGEST)])


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_single_post(client: Client, algorithm: str) -> None:
    digest = Digest.of(CONTENT, algorithm)
    assert_stored(client, client.request("POST", f"{UPLOADS}?digest={digest}", content=CONTENT), digest)


def test_the_slash_of_uploads_may_be_missing(client: Client) -> None:
    assert client.request("POST", UPLOADS[:-1]).status == 202


@pytest.mark.parametrize("query", ["", "?digest-algorithm=sha512"])
@pytest.mark.parametrize("last_in_put", [False, True])
def test_chunks(client: Client, query: str, last_in_put: bool) -> None:
    digest = Digest.of(CONTENT, "sha512" if query else "sha256")
    location = start(client, query)
    for first, end in ((0, 1000), (1000, 2000)):
        answer = patch(client, location, first, end)
        assert (answer.status, answer.field("range")) == (202, f"0-{end - 1}")
        location = answer.field("location")
    rest = b"" if last_in_put else CONTENT[2000:]
    if rest:
        assert client.request("PATCH", location, content=rest).status == 202
    last = CONTENT[2000:] if last_in_put else b""
    assert_stored(client, client.request("PUT", f"{location}?digest={digest}", content=last), digest)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    "field", ["2000-2999", "0-999", "999-1999", "x", "1500-1000", "bytes 1000-1999/*", "-5", "1-" + "9" * 40]
)
def test_a_chunk_out_of_order_changes_nothing(client: Client, method: str, field: str) -> None:
    location = start(client)
    patch(client, location, 0, 1000)
    target = f"{location}?digest={DIGEST}" if method == "PUT" else location
    answer = client.request(method, target, {"Content-Range": field}, CONTENT[:1000])
    assert (answer.status, answer.code) == (416, "RANGE_INVALID")
    assert (answer.field("range"), answer.field("location")) == ("0-999", location)
    status = client.get(location)
    assert (status.status, status.field("range"), status.field("location")) == (204, "0-999", location)
    patch(client, location, 1000, 3000)
    assert_stored(client, client.request("PUT", f"{location}?digest={DIGEST}"))


def test_a_chunk_whose_length_is_not_its_range(client: Client) -> None:
    location = start(client)
    answer = client.request("PATCH", location, {"Content-Range": "0-99"}, CONTENT[:50])
    assert (answer.status, answer.code) == (400, "SIZE_INVALID")
    assert client.get(location).field("range") == "0-0"


def test_status_by_get_and_head(client: Client) -> None:
    location = start(client)
    patch(client, location, 0, 10)
    for answer in (client.get(location), client.head(location)):
        assert (answer.status, answer.field("range")) == (204, "0-9")


def test_cancel(client: Client) -> None:
    location = start(client)
    patch(client, location, 0, 10)
    assert client.request("DELETE", location).status == 204
    for method in ("GET", "PATCH", "DELETE"):
        answer = client.request(method, location)
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert client.request("PUT", f"{location}?digest={DIGEST}").status == 404


@pytest.mark.parametrize(
    "upload_id",
    ["..", ".", "%2e%2e", "0" * 200, "a%00b", "none", "..%5c..", "d2d3b9e4-0000-4000-8000-0000", "a b"],
)
def test_unknown_sessions(client: Client, upload_id: str) -> None:
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answer = client.request(method, f"{UPLOADS}{upload_id}?digest={DIGEST}")
        assert answer.status in (400, 404)
        assert answer.code in ("BLOB_UPLOAD_UNKNOWN", "NAME_INVALID")


def test_a_session_belongs_to_its_repository(client: Client) -> None:
    location = start(client)
    assert client.get(location.replace("some/name", "other/name")).status == 404


def test_a_wrong_digest_is_not_stored(client: Client) -> None:
    location = start(client)
    for answer in (
        client.request("PUT", f"{location}?digest={MISSING}", content=CONTENT),
        client.request("POST", f"{UPLOADS}?digest={MISSING}", content=CONTENT),
    ):
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
        assert answer.json()["errors"][0]["message"] == "provided digest did not match uploaded content"
    for digest in (MISSING, DIGEST):
        assert client.get(f"/v2/some/name/blobs/{digest}").status == 404


@pytest.mark.parametrize("query", ["", "?digest=", "?digest=sha256:abc", "?digest=md5:" + "0" * 32])
def test_a_put_without_a_digest_leaves_the_session(client: Client, query: str) -> None:
    location = start(client)
    answer = client.request("PUT", location + query, content=CONTENT)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert client.get(location).field("range") == "0-0"


@pytest.mark.parametrize(
    "query",
    ["?digest=sha256:abc", "?digest-algorithm=md5", "?digest-algorithm=.."],
)
def test_a_post_with_a_malformed_digest(client: Client, query: str) -> None:
    answer = client.request("POST", UPLOADS + query, content=CONTENT)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


def test_a_post_that_only_names_a_digest_begins_a_session(client: Client) -> None:
    start(client, f"?digest={DIGEST}")
    empty = Digest.of(b"")
    assert client.request("POST", f"{UPLOADS}?digest={empty}").status == 201


@pytest.mark.parametrize("query", ["&from=other/name", ""])
def test_mount(client: Client, query: str) -> None:
    push_blob(client, "other/name", CONTENT)
    assert_stored(client, client.request("POST", f"{UPLOADS}?mount={DIGEST}{query}"))
    assert client.request("DELETE", f"/v2/other/name/blobs/{DIGEST}").status == 202
    assert client.head(f"/v2/some/name/blobs/{DIGEST}").status == 200


@pytest.mark.parametrize("query", ["&from=elsewhere", "&from=other/name/deeper", ""])
def test_a_mount_of_what_is_not_there_begins_a_session(client: Client, query: str) -> None:
    push_blob(client, "other/name", b"something else")
    start(client, f"?mount={DIGEST}{query}")


@pytest.mark.parametrize("query", [f"?mount={DIGEST}&from=../../etc", "?mount=sha256:abc&from=a", "?mount=x"])
def test_a_malformed_mount_begins_a_session(client: Client, query: str) -> None:
    start(client, query)


class UnreadableSource(RegistryWrapper):
    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        raise StorageError("Permission denied", path=f"/{source}")


def test_a_mount_of_what_cannot_be_read_begins_a_session(registry: Registry) -> None:
    start(Client(Application(UnreadableSource(registry))), f"?mount={DIGEST}&from=other")


class Watched(RegistryWrapper):
    """Remembers the names and ids it is asked about."""

    def __init__(self, inner: Registry) -> None:
        super().__init__(inner)
        self.seen: list[str | None] = []

    def resume_upload(self, name: str, upload_id: str) -> Upload:
        self.seen += [name, upload_id]
        return super().resume_upload(name, upload_id)

    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        self.seen += [name, source]
        return super().mount_blob(name, digest, source)


def test_malformed_names_and_ids_never_reach_the_registry(registry: Registry) -> None:
    watched = Watched(registry)
    client = Client(Application(watched))
    for part in ("..", "%2e%2e", "a%0ab", "x" * 300, "a%20b"):
        client.get(UPLOADS + part)
        client.request("POST", f"{UPLOADS}?mount={DIGEST}&from={part}/..")
    assert watched.seen == []
    client.get(UPLOADS + "some-id")
    assert watched.seen == ["some/name", "some-id"]


def test_another_process_goes_on_with_a_session(driver: StorageDriver) -> None:
    clients = [Client(Application(StorageRegistry(driver))) for _ in range(3)]
    location = start(clients[0], "?digest-algorithm=sha512")
    patch(clients[1], location, 0, 1000)
    assert clients[2].get(location).field("range") == "0-999"
    patch(clients[0], location, 1000, 2500)
    digest = Digest.of(CONTENT, "sha512")
    answer = clients[2].request("PUT", f"{location}?digest={digest}", content=CONTENT[2500:])
    assert_stored(clients[1], answer, digest)


def test_content_of_unknown_length(client: Client) -> None:
    location = start(client)
    assert client.request("PATCH", location, content=io.BytesIO(CONTENT)).field("range") == "0-2999"
    assert_stored(client, client.request("PUT", f"{location}?digest={DIGEST}", content=io.BytesIO()))


def test_more_than_the_content_length_is_not_read(client: Client) -> None:
    environ = {"wsgi.input": io.BytesIO(CONTENT + b"the next request"), "CONTENT_LENGTH": str(len(CONTENT))}
    assert_stored(client, client.request("POST", f"{UPLOADS}?digest={DIGEST}", environ=environ))


@pytest.mark.parametrize("length", ["-1", "x", "1_0", "²", "9" * 20, "9" * 5000, "1e3"])
def test_malformed_content_length(client: Client, length: str) -> None:
    environ = {"wsgi.input": io.BytesIO(CONTENT), "CONTENT_LENGTH": length}
    answer = client.request("POST", f"{UPLOADS}?digest={DIGEST}", environ=environ)
    assert (answer.status, answer.code) == (400, "SIZE_INVALID")


@pytest.mark.parametrize("length", ["3001", "99999999999999"])
def test_content_cut_short_is_not_stored(client: Client, length: str) -> None:
    environ = {"wsgi.input": io.BytesIO(CONTENT), "CONTENT_LENGTH": length}
    answer = client.request("POST", f"{UPLOADS}?digest={DIGEST}", environ=environ)
    assert (answer.status, answer.code) == (400, "SIZE_INVALID")
    assert client.get(f"/v2/some/name/blobs/{DIGEST}").status == 404


@pytest.mark.parametrize("method", ["PATCH", "PUT", "POST"])
def test_chunked_content_that_the_server_does_not_deliver(client: Client, method: str) -> None:
    """Python's own server gives no application the chunks."""
    location = start(client)
    target = {"PATCH": location, "PUT": f"{location}?digest={DIGEST}", "POST": f"{UPLOADS}?digest={DIGEST}"}
    with make_server("127.0.0.1", 0, client.application, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        connection.putrequest(method, target[method])
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()  # refused before any chunk is sent
        answer = connection.getresponse()
        code = json.loads(answer.read())["errors"][0]["code"]
        connection.close()
        thread.join()
    assert (answer.status, code) == (411, "SIZE_INVALID")
    assert client.get(location).field("range") == "0-0"


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Cut:
    """Content whose sender went away."""

    def __init__(self) -> None:
        self.parts = [CONTENT[:1000]]

    def read(self, size: int = -1, /) -> bytes:
        if not self.parts:
            raise StreamReset("the caller went away")
        return self.parts.pop()


def test_a_lost_connection_goes_to_the_server_and_keeps_what_came(client: Client) -> None:
    location = start(client)
    with pytest.raises(StreamReset):
        client.request("PATCH", location, content=Cut())
    assert client.get(location).field("range") == "0-999"
    with pytest.raises(StreamReset):
        client.request("POST", f"{UPLOADS}?digest={DIGEST}", content=Cut())
    assert client.get(f"/v2/some/name/blobs/{DIGEST}").status == 404
