"""What becomes of requests whose answers are lost, and of what a service says only in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.storage.blob import BlobClient, ContainerClient

from tests.drivers.scripted import Reply, Request, scripted
from udist_plugin.drivers.azure import retries as azure_retries
from udist_plugin.drivers.azure import transfers as azure_transfers
from udist_plugin.drivers.azure.settings import settings
from udist_plugin.drivers.azure.store import AzureStore
from udist_plugin.drivers.objects import pauses
from udist_plugin.errors import ConfigurationError, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BUSY = Reply(503)
FOUND = Reply(200, headers={"ETag": '"1"', "Last-Modified": "Tue, 01 Jan 2030 00:00:00 GMT"})


class Asked:
    """A service that is busy until it is asked for the ``last`` time."""

    def __init__(self, last: int = 1 << 30) -> None:
        self.times = 0
        self._last = last

    def __call__(self, request: Request) -> Reply:
        self.times += 1
        return BUSY if self.times < self._last else FOUND


class Answer:
    """Of one deletion in a batch."""

    status_code = 503
    reason = "Server Busy"


def answer_lost(sent: Callable[..., Any]) -> Callable[..., Any]:
    """As ``sent`` done twice, as the library does it when the first answer does not come."""

    def twice(*arguments: Any, **options: Any) -> Any:
        sent(*arguments, **options)
        return sent(*arguments, **options)

    return twice


def test_an_object_is_there_when_the_answer_to_its_blocks_is_lost(
    parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_transfers, "PIECE", 4)
    monkeypatch.setattr(BlobClient, "commit_block_list", answer_lost(BlobClient.commit_block_list))
    store = AzureStore(settings(parameters)[0])
    writer = store.writer("a")
    writer.write(b"0123456789")
    writer.commit()
    with store.get("a") as content:
        assert content.read() == b"0123456789"
    assert [each.key for each in store.objects("")] == ["a"]


def test_a_busy_deletion_is_one_to_try_later(
    parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ContainerClient, "delete_blobs", lambda *_, **__: [Answer()])
    with pytest.raises(StorageUnavailable, match="azure: a: not deleted: Server Busy"):
        AzureStore(settings(parameters)[0]).delete(["a"])


def test_no_error_shows_a_signature(refusing: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"BlobEndpoint=http://{refusing()}/a;SharedAccessSignature=sv=2024-11-04&sig=secret%3D"
    store = AzureStore(settings({"container": "c", "connectionstring": text, "max_retries": -1})[0])
    with pytest.raises(ConfigurationError, match="cannot be reached") as unreachable:
        store.probe()

    def break_off(*_: object, **__: object) -> None:
        raise ServiceResponseError(
            f"HTTPSConnectionPool: Max retries exceeded with url: {store_url} (Caused by EOF)"
        )

    store_url = "/a/c/b?sv=2024-11-04&sig=secret%3D"
    monkeypatch.setattr(BlobClient, "upload_blob", break_off)
    with pytest.raises(StorageError, match="Caused by EOF") as cut:
        store.put("b", b"x")
    assert "secret" not in f"{unreachable.value} {cut.value}"


def test_requests_are_repeated_within_their_time(
    parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is away refuses at once, so the number of refusals says nothing."""
    monkeypatch.setattr(pauses, "FIRST", 0.001)
    asked = Asked(9)
    with scripted(asked) as url:
        AzureStore(settings({**parameters, "serviceurl": f"{url}/a", "retry_delay": 0.001})[0]).head("a")
    assert asked.times == 9
    monkeypatch.setattr(azure_retries, "PATIENCE", 0.3)
    asked = Asked()
    with scripted(asked) as url, pytest.raises(StorageUnavailable):
        AzureStore(settings({**parameters, "serviceurl": f"{url}/a", "retry_delay": 0.001})[0]).head("a")
    assert asked.times > 6


@pytest.mark.parametrize(("retries", "attempts"), [(-1, 1), (2, 3)])
def test_requests_are_repeated_as_often_as_is_asked_for(
    parameters: dict[str, object], retries: int, attempts: int
) -> None:
    asked = Asked()
    with scripted(asked) as url, pytest.raises(StorageUnavailable):
        given = {"serviceurl": f"{url}/a", "max_retries": retries, "retry_delay": 0.001}
        AzureStore(settings({**parameters, **given})[0]).head("a")
    assert asked.times == attempts


def test_the_first_retry_comes_after_the_delay_that_was_asked_for(
    parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(azure_retries.Retry, "sleep", lambda self, to, _: waits.append(to["pause"]))
    busy = iter([BUSY, BUSY, FOUND])
    with scripted(lambda _: next(busy)) as url:
        given = {**parameters, "serviceurl": f"{url}/a", "retry_delay": 0.03}
        AzureStore(settings(given)[0]).head("a")
    assert 0.015 <= waits[0] <= 0.03 <= waits[1] <= 0.06
