"""A service that throttles is asked more slowly, and nobody waits for it without end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.drivers.scripted import Reply, Request, scripted
from udist_plugin.drivers.s3 import connection as s3_connection
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import StorageUnavailable

PATIENCE = 2.0
BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
SINCE = {"ETag": '"1"', "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT"}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.drivers.objects.pauses.FIRST", 0.01)
    monkeypatch.setattr(s3_connection, "PATIENCE", PATIENCE)


def opened(url: str) -> S3Store:
    keys = {"accesskey": "id", "secretkey": "secret"}
    return S3Store(settings({"bucket": "b", "region": "r", "regionendpoint": url, **keys})[0])


def test_who_waits_among_many_does_not_wait_for_all() -> None:
    """Sixteen requests, of which the limiter lets one through in two seconds."""

    def fail(store: S3Store) -> float:
        begun = time.monotonic()
        with pytest.raises(StorageUnavailable, match=r"SlowDown|throttles"):
            store.get("a")
        return time.monotonic() - begun

    with scripted(lambda _: Reply(503, BUSY)) as url, ThreadPoolExecutor(16) as pool:
        store = opened(url)
        waits = list(pool.map(fail, [store] * 16))
    assert max(waits) < 2 * PATIENCE


def test_a_service_that_comes_to_itself_answers_all() -> None:
    replies = iter([Reply(503), *[Reply(200, b"x", SINCE)] * 10])

    def answer(request: Request) -> Reply:
        return next(replies)

    with scripted(answer) as url:
        store = opened(url)
        for _ in range(3):
            assert store.head("a").size == 1
