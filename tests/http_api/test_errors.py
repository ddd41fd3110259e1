from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.http_api.images import push_blob
from tests.http_api.wsgi import Client
from udist_plugin import errors
from udist_plugin.errors import (
    Cancelled,
    PathBusy,
    PathNotFound,
    RegistryError,
    StorageError,
    StorageFull,
    StorageUnavailable,
    Unavailable,
)
from udist_plugin.http_api.app import Application
from udist_plugin.http_api.errors import error_response
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import RegistryWrapper

if TYPE_CHECKING:
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import Registry

TARGET = f"/v2/a/blobs/{Digest.of(b'')}"


class Failing(RegistryWrapper):
    """Fails with ``error`` whatever is asked about a blob."""

    def __init__(self, inner: Registry, error: Exception) -> None:
        super().__init__(inner)
        self.error = error

    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        raise self.error

    def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> None:  # type: ignore[override]
        raise self.error


def failing(registry: Registry, error: Exception) -> Client:
    return Client(Application(Failing(registry, error)))


def test_what_was_not_foreseen_is_told_only_to_the_log(registry: Registry) -> None:
    client = failing(registry, KeyError("secret"))
    answer = client.get(TARGET)
    assert (answer.status, answer.json()) == (
        500,
        {"errors": [{"code": "UNKNOWN", "message": "unknown error"}]},
    )
    assert "Traceback" in answer.log
    assert "KeyError: 'secret'" in answer.log
    assert "GET" in answer.log
    assert client.head(TARGET).content == b""


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StorageError("disk on fire", driver="filesystem", path="/a"), 500, "UNKNOWN"),
        (PathNotFound("gone", driver="filesystem", path="/a"), 500, "UNKNOWN"),
        (StorageFull("no space left on device", driver="filesystem", path="/a"), 507, "UNKNOWN"),
        (StorageUnavailable("SlowDown: try later", driver="s3", path="/a"), 503, "UNAVAILABLE"),
        (PathBusy("another writer holds it", driver="filesystem", path="/a"), 503, "UNAVAILABLE"),
        (Unavailable("upstream"), 503, "UNAVAILABLE"),
    ],
)
def test_failures_of_the_store(registry: Registry, error: Exception, status: int, code: str) -> None:
    answer = failing(registry, error).get(TARGET)
    assert (answer.status, answer.code) == (status, code)
    assert answer.json()["errors"][0]["detail"] in str(error)
    assert answer.log.count("\n") == isinstance(error, StorageError)
    assert answer.field("retry-after") == ("5" if isinstance(error, StorageUnavailable | PathBusy) else "")


def test_an_exchange_that_failed_is_the_servers(registry: Registry) -> None:
    with pytest.raises(Cancelled):
        failing(registry, Cancelled("the caller went away")).get(TARGET)


# distribution v3.0.0, registry/api/errcode/register.go
DISTRIBUTION = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (404, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DENIED": (403, "requested access to the resource is denied"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_INVALID": (400, "invalid repository name"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "PAGINATION_NUMBER_INVALID": (400, "invalid number of results requested"),
    "RANGE_INVALID": (416, "invalid content range"),
    "SIZE_INVALID": (400, "provided length did not match content length"),
    "TAG_INVALID": (400, "manifest tag did not match URI"),
    "TOOMANYREQUESTS": (429, "too many requests"),
    "UNAUTHORIZED": (401, "authentication required"),
    "UNAVAILABLE": (503, "service unavailable"),
    "UNSUPPORTED": (405, "The operation is unsupported."),
}


def test_codes_messages_and_statuses_are_distributions() -> None:
    kinds = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RegistryError)
    }
    told = {}
    for kind in kinds - {RegistryError, errors.ManifestTooLarge}:
        response = error_response(kind())
        told[kind.code] = (response.status, kind.message)
    assert told == DISTRIBUTION


def test_many_threads_may_call_at_once(client: Client) -> None:
    digests: list[Digest] = []

    def work(number: int) -> None:
        for turn in range(10):
            content = f"{number} {turn}".encode()
            digest = push_blob(client, f"name{number % 2}", content)
            if client.get(f"/v2/name{number % 2}/blobs/{digest}").content == content:
                digests.append(digest)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 80
