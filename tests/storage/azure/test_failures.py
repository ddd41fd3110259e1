"""What becomes of requests whose answers are lost, and of what a service says only in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.storage.blob import BlobClient, ContainerClient

from tests.storage.scripted import Reply, Request, scripted
from udist_plugin.drivers.azure import transfers as azure_transfers
from udist_plugin.drivers.azure.bounds import BACKOFF_MAX
from udist_plugin.drivers.azure.client import Retry
from udist_plugin.drivers.azure.settings import settings
from udist_plugin.drivers.azure.store import AzureStore
from udist_plugin.errors import ConfigurationError, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


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


def test_the_wait_before_a_retry_is_bounded() -> None:
    retry = Retry(initial_backoff=0, increment_base=2, retry_total=100)
    waits = [retry.get_backoff_time({"count": count}) for count in range(1, 100)]
    assert max(waits) == BACKOFF_MAX


def test_the_first_retry_comes_after_the_delay_that_was_asked_for(
    parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(Retry, "sleep", lambda self, to, _: waits.append(self.get_backoff_time(to)))
    busy = iter([503, 503, 200])

    def answer(request: Request) -> Reply:
        return Reply(next(busy), headers={"ETag": '"1"', "Last-Modified": "Tue, 01 Jan 2030 00:00:00 GMT"})

    with scripted(answer) as url:
        given = {**parameters, "serviceurl": f"{url}/a", "retry_delay": 0.03}
        store = AzureStore(settings(given)[0])
        store.head("a")
    assert waits == [0.03, 2.03]
