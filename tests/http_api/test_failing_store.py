"""A store that fails at any of its calls: each request is answered with a 5xx that says so, or as if nothing
had happened, and what was acknowledged stands."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.images import CONFIG, image
from tests.http_api.wsgi import Client
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import StorageError, StorageFull, StorageUnavailable
from udist_plugin.http_api.app import Application
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_MANIFEST
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from tests.http_api.wsgi import Answer

LAYER = b"layer"
MANIFEST = image(LAYER)
DIGEST = Digest.of(MANIFEST)
VERBS = ("put_content", "reader", "writer", "stat", "list", "move", "delete")
FAULTS = [
    (StorageUnavailable, 503, "UNAVAILABLE"),
    (StorageFull, 507, "UNKNOWN"),
    (StorageError, 500, "UNKNOWN"),
]


class Failing(InMemoryDriver):
    """Raises ``error`` at every call from the one numbered ``first``, while there is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.error: StorageError | None = None
        self.first = 0
        self.calls = 0

    def begin(self, error: StorageError | None, first: int = 0) -> None:
        self.error, self.first, self.calls = error, first, 0

    def __getattribute__(self, name: str) -> Any:
        if name in VERBS and self.error is not None:
            self.calls += 1
            if self.calls > self.first:
                raise self.error
        return super().__getattribute__(name)


@pytest.fixture
def driver() -> Failing:
    return Failing()


@pytest.fixture
def client(driver: Failing) -> Client:
    return Client(Application(ValidatingRegistry(StorageRegistry(driver))))


def push_blob(client: Client, content: bytes) -> Answer:
    return client.request("POST", f"/v2/a/blobs/uploads/?digest={Digest.of(content)}", content=content)


def push_in_chunks(client: Client, content: bytes) -> Answer:
    """The answer that was not a success, or the last one."""
    answer = client.request("POST", "/v2/a/blobs/uploads/")
    for method, part, query in (("PATCH", content, ""), ("PUT", b"", f"?digest={Digest.of(content)}")):
        if answer.status >= 300:
            break
        answer = client.request(method, answer.field("location") + query, content=part)
    return answer


def push_manifest(client: Client) -> Answer:
    return client.request("PUT", "/v2/a/manifests/v1", {"Content-Type": OCI_MANIFEST}, MANIFEST)


PUSHES = {
    f"/v2/a/blobs/{Digest.of(LAYER)}": lambda client: push_blob(client, LAYER),
    f"/v2/a/blobs/{Digest.of(CONFIG)}": lambda client: push_in_chunks(client, CONFIG),
    "/v2/a/manifests/v1": push_manifest,
}
"""Each push, by where its content is found then."""

READS = [
    *itertools.product(("GET", "HEAD"), PUSHES),
    ("GET", f"/v2/a/manifests/{DIGEST}"),
    ("GET", "/v2/a/tags/list"),
    ("GET", "/v2/_catalog"),
    ("GET", f"/v2/a/referrers/{DIGEST}"),
]
DELETIONS = [
    ("DELETE", "/v2/a/manifests/v1"),
    ("DELETE", f"/v2/a/manifests/{DIGEST}"),
    ("DELETE", f"/v2/a/blobs/{Digest.of(LAYER)}"),
]


def is_told(answer: Answer, status: int, code: str) -> bool:
    """Whether the failure was told, as it should be; else the request had all its success."""
    if answer.status < 300:
        return False
    assert answer.status == status, answer
    assert answer.field("retry-after") == ("5" if status == 503 else "")
    if answer.content:  # no answer to HEAD has any
        assert answer.code == code
        assert "on fire" in str(answer.json())
    assert "Traceback" not in answer.log
    return True


@pytest.mark.parametrize(("kind", "status", "code"), FAULTS)
def test_what_is_acknowledged_stands_wherever_the_store_fails(
    driver: Failing, client: Client, kind: type[StorageError], status: int, code: str
) -> None:
    for target, push in PUSHES.items():
        for first in itertools.count():
            driver.begin(kind("on fire"), first)
            told = is_told(push(client), status, code)
            driver.begin(None)
            if not told:
                assert client.get(target).status == 200
                break
        assert first, "no call of the store failed"


@pytest.mark.parametrize(("method", "target"), READS + DELETIONS)
@pytest.mark.parametrize(("kind", "status", "code"), FAULTS)
def test_a_failing_store_is_never_an_empty_one(
    driver: Failing,
    client: Client,
    kind: type[StorageError],
    status: int,
    code: str,
    method: str,
    target: str,
) -> None:
    for first in itertools.count():
        for push in PUSHES.values():
            assert push(client).status == 201
        driver.begin(kind("on fire"), first)
        answer = client.request(method, target)
        calls = driver.calls
        driver.begin(None)
        if not is_told(answer, status, code) and calls <= first:
            break
    assert first, "no call of the store failed"
