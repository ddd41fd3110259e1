"""Tokens that end, quotas, answers that pass, and a container whose listing lags."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pytest

from tests.drivers.scripted import Reply, Request, scripted
from tests.drivers.swift.account import Account
from tests.drivers.swift.server import PASSWORD, USER, Swift, all_in_one
from udist_plugin.drivers import open_driver
from udist_plugin.drivers.swift.client import SwiftClient
from udist_plugin.drivers.swift.settings import settings
from udist_plugin.drivers.swift.store import SwiftStore
from udist_plugin.errors import PathBusy, StorageError, StorageFull, StorageUnavailable
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver

LARGE = b"0123456789abcdef" * (3 << 16)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    """One that does as this module says."""
    with all_in_one(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture
def section(own_server: Swift, request: pytest.FixtureRequest) -> Iterator[dict[str, object]]:
    name = hashlib.sha256(request.node.name.encode()).hexdigest()
    with Account(own_server.url, name):
        yield {
            "authurl": f"{own_server.url}/auth/v1.0",
            "username": USER,
            "password": PASSWORD,
            "container": name,
            "chunksize": 1 << 20,
        }


def opened(section: dict[str, object]) -> StorageDriver:
    return open_driver("swift", section, scratch=paths.SCRATCH)


def test_a_token_that_has_ended_is_renewed(own_server: Swift, section: dict[str, object]) -> None:
    driver = opened(section)
    driver.put_content("/a", b"1")
    own_server.command("forget")
    driver.put_content("/a", b"2")
    with driver.reader("/a") as content:
        assert content.read() == b"2"


def test_a_quota_that_is_used_up_is_a_full_store(own_server: Swift, section: dict[str, object]) -> None:
    with Account(own_server.url, str(section["container"])) as account:
        account.library.post_container(account.name, {"X-Container-Meta-Quota-Bytes": "1000"})
    driver = opened(section)
    driver.put_content("/a", b"x")
    for size in (2000, 3 << 20):
        with pytest.raises(StorageFull, match="the quota of the container"), driver.writer("/b") as writer:
            writer.write(b"x" * size)
            writer.commit()
    assert driver.list("/") == ["a"]


def test_a_container_that_was_deleted_is_named(own_server: Swift, section: dict[str, object]) -> None:
    driver = opened(section)
    with Account(own_server.url, str(section["container"])) as account:
        account.library.delete_container(account.name)
    wanted = f"the container {section['container']} does not exist: create it"
    for action in (lambda: driver.put_content("/a", b"x"), lambda: driver.list("/")):
        with pytest.raises(StorageError, match=wanted):
            action()


def test_an_image_is_pushed_and_pulled_while_the_listing_lags(
    own_server: Swift, section: dict[str, object]
) -> None:
    """By two plugins in turns: what an upload has so far is not only what is listed of it."""
    digest, half = Digest.of(LARGE), len(LARGE) // 2
    own_server.command("hold")
    try:
        upload = StorageRegistry(opened(section)).start_upload("app")
        for part in (LARGE[:half], LARGE[half:]):
            resumed = StorageRegistry(opened(section)).resume_upload("app", upload.id)
            resumed.write(io.BytesIO(part))
            resumed.close()
        assert resumed.offset == len(LARGE)
        StorageRegistry(opened(section)).resume_upload("app", upload.id).commit(digest)
        with StorageRegistry(opened(section)).open_blob("app", digest) as content:
            assert content.read() == LARGE
        assert opened(section).list("/") == []
    finally:
        own_server.command("release")
    with Account(own_server.url, str(section["container"])) as account:
        assert f"files{paths.blob_data(digest)}" in account.names()


def answering(*statuses: int, then: Reply) -> Callable[[Request], Reply]:
    """A Swift that gives a token and gives these answers in turn to all else."""
    left = [*statuses]

    def answer(request: Request) -> Reply:
        if request.target == "/auth/v1.0":
            url = f"http://{request.headers['host']}/v1/AUTH_test"
            return Reply(200, b"", {"X-Storage-Url": url, "X-Auth-Token": "token"})
        return Reply(left.pop(0), b"busy") if left else then

    return answer


def client_of(url: str) -> SwiftClient:
    values = {"authurl": f"{url}/auth/v1.0", "username": "a", "password": "b", "container": "c"}
    return SwiftClient(settings(values)[0])


@pytest.mark.parametrize("status", [202, 408, 409, 422, 429, 498, 503])
def test_what_passes_is_tried_again(status: int) -> None:
    """202 too: the write lost to one with a later time, and is not kept."""
    with scripted(answering(status, status, then=Reply(201))) as url:
        assert client_of(url).attempt("PUT", "a", accept={201})[1]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, StorageError), (403, StorageError), (404, StorageError), (412, PathBusy), (413, StorageFull)],
)
def test_what_does_not_pass_is_an_error_at_once(status: int, kind: type[StorageError]) -> None:
    with scripted(answering(status, then=Reply(201))) as url, pytest.raises(StorageError) as caught:
        client_of(url).attempt("PUT", "a", accept={201})
    assert type(caught.value) is kind


def test_patience_ends() -> None:
    with (
        scripted(answering(then=Reply(503, b"busy"))) as url,
        pytest.raises(StorageUnavailable, match="a: busy"),
    ):
        client_of(url).attempt("PUT", "a", accept={201}, patience=0.2)


def test_a_server_of_something_else() -> None:
    page = Reply(200, b"<html>Console</html>", {"Content-Type": "text/html"})
    with scripted(answering(then=page)) as url:
        store = SwiftStore(client_of(url).settings)
        actions: list[Callable[[], object]] = [
            lambda: store.head("a"),
            lambda: store.get("a"),
            lambda: list(store.objects("")),
            lambda: list(store.names("")),
            lambda: store.put("a", b"x"),
        ]
        for action in actions:
            with pytest.raises(StorageError, match="not an answer of Swift"):
                action()
