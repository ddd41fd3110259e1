"""A request to delete many that is done in part is done to its end, or an error that says why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.drivers.scripted import Reply, Request, scripted
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.drivers.objects.pauses.FIRST", 0.01)
    monkeypatch.setattr("udist_plugin.drivers.s3.deletion.PATIENCE", 0.3)


def opened(url: str) -> S3Store:
    keys = {"accesskey": "id", "secretkey": "secret"}
    return S3Store(settings({"bucket": "registry", "region": "r", "regionendpoint": url, **keys})[0])


def failing(code: str, asked: list[list[str]], times: int) -> Callable[[Request], Reply]:
    """All but the first key fail, so many times."""

    def answer(request: Request) -> Reply:
        keys = re.findall(r"<Key>(.*?)</Key>", request.content.decode())
        asked.append(keys)
        failed = keys[1:] if len(asked) <= times else []
        errors = "".join(
            f"<Error><Key>{key}</Key><Code>{code}</Code><Message>so it said</Message></Error>"
            for key in failed
        )
        return Reply(200, f"<DeleteResult>{errors}</DeleteResult>".encode())

    return answer


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_what_fails_in_passing_is_asked_for_again(code: str) -> None:
    asked: list[list[str]] = []
    with scripted(failing(code, asked, 2)) as url:
        opened(url).delete(["a", "b", "c"])
    assert asked == [["a", "b", "c"], ["b", "c"], ["c"]]


def test_what_keeps_failing_in_passing_may_be_tried_later() -> None:
    asked: list[list[str]] = []
    keys = [f"{number}" for number in range(20)]
    with scripted(failing("SlowDown", asked, 99)) as url, pytest.raises(StorageUnavailable, match="busy"):
        opened(url).delete(keys)
    assert [len(each) for each in asked[:3]] == [20, 19, 18]
    assert len(asked) < len(keys)


@pytest.mark.parametrize(
    ("code", "problem"), [("AccessDenied", "registry, s3:DeleteObject"), ("Locked", "so it said")]
)
def test_what_fails_for_good_is_not(code: str, problem: str) -> None:
    asked: list[list[str]] = []
    with scripted(failing(code, asked, 99)) as url, pytest.raises(StorageError, match=problem) as caught:
        opened(url).delete(["a", "b"])
    assert (caught.value.path, len(asked)) == ("b", 1)
