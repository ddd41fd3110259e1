"""What becomes of transfers whose connections break, with a service that breaks them on purpose."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from google.cloud.storage.retry import DEFAULT_RETRY

from tests.drivers.scripted import Reply, Request, scripted
from udist_plugin.drivers.gcs import client as gcs_client
from udist_plugin.drivers.gcs.keys import CHUNK_STEP
from udist_plugin.drivers.gcs.settings import Settings
from udist_plugin.drivers.gcs.store import GcsStore
from udist_plugin.drivers.gcs.transfers import RESUMPTIONS
from udist_plugin.errors import PathBusy, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTENT = bytes(range(256)) * 4096


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcs_client, "RETRY", DEFAULT_RETRY.with_delay(0.01, 0.05).with_timeout(10))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], GcsStore]:
    def make(url: str) -> GcsStore:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        return GcsStore(Settings("bucket", chunk_size=CHUNK_STEP))

    return make


def downloads(asked: list[str], cuts: Iterator[int | None]) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        given = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", "bytes=0-"))
        assert given is not None
        asked.append(f"{given[1]}-{given[2]} of {request.target.partition('generation=')[2]}")
        part = CONTENT[int(given[1]) : int(given[2]) + 1 if given[2] else None]
        return Reply(206, part, {"X-Goog-Generation": "7"}, next(cuts))

    return answer


def test_a_content_that_is_cut_goes_on_with_the_same_version(opened: Callable[[str], GcsStore]) -> None:
    asked: list[str] = []
    with scripted(downloads(asked, iter([200_000, 0, None]))) as url, opened(url).get("a", 10) as content:
        assert content.read() == CONTENT[10:]
    last = len(CONTENT) - 1
    assert asked[0] == "10- of "
    assert len(asked) == 3
    assert all(re.fullmatch(rf"\d+-{last} of 7", each) for each in asked[1:])
    assert int(asked[1].partition("-")[0]) > 10


def test_a_content_is_asked_for_a_bounded_number_of_times(opened: Callable[[str], GcsStore]) -> None:
    asked: list[str] = []
    answer = downloads(asked, iter([0] * 100))
    with (
        scripted(answer) as url,
        opened(url).get("a") as content,
        pytest.raises(StorageError, match="broke off"),
    ):
        content.read()
    assert len(asked) == 1 + RESUMPTIONS


def metadata(generation: int) -> bytes:
    """What the service says of the object."""
    updated = "2020-01-01T00:00:00Z"
    return json.dumps({"name": "a", "size": "0", "updated": updated, "generation": str(generation)}).encode()


class Session:
    """A resumable upload, with ``faults``: what befalls each PUT of bytes."""

    def __init__(self, *faults: str) -> None:
        self.content = b""
        self.complete = False
        self.stands = metadata(7)
        """What is said of the object, which the service made as generation 7 if it is not mistaken."""
        self.ranges: list[str] = []
        self._faults = iter(faults)

    def __call__(self, request: Request) -> Reply:
        if request.method == "POST":
            location = f"http://{request.headers['host']}/session"
            return Reply(200, headers={"Location": location})
        if request.method == "GET":
            return Reply(200 if self.stands else 404, self.stands)
        if request.method == "DELETE":
            self.content = b"cancelled"
            return Reply(499)
        assert "content-range" in request.headers, request
        self.ranges.append(request.headers["content-range"])
        given = re.fullmatch(r"bytes (?:\*|(\d+)-\d+)/(\*|\d+)", self.ranges[-1])
        assert given is not None
        if given[1] is None:
            return self._progress()
        assert int(given[1]) == len(self.content), "a gap, or bytes that came before"
        fault = next(self._faults, "")
        if fault == "unavailable":
            return Reply(503)
        if fault == "taken":
            return Reply(412, b"{}")
        if fault == "gone":
            return Reply(410)
        self.content += request.content[: CHUNK_STEP // 2] if fault == "half" else request.content
        self.complete = len(self.content) == int(given[2] if given[2] != "*" else -1)
        return Reply(503) if fault == "answer lost" else self._progress()

    def _progress(self) -> Reply:
        if self.complete:
            return Reply(200, metadata(7))
        return Reply(308, headers={"Range": f"bytes=0-{len(self.content) - 1}"} if self.content else {})


@pytest.mark.parametrize(
    "faults",
    [
        (),
        ("unavailable",),
        ("", "unavailable", "unavailable"),
        ("answer lost", "", "answer lost"),
        ("half", "half", "", "half"),
        ("", "", "", "answer lost"),  # of the last chunk: the upload is complete
    ],
    ids=" ".join,
)
def test_an_upload_goes_on_where_the_service_stands(
    faults: tuple[str, ...], opened: Callable[[str], GcsStore]
) -> None:
    session = Session(*faults)
    with scripted(session) as url:
        writer = opened(url).writer("a")
        writer.write(CONTENT)
        writer.commit()
        writer.cancel()
    assert session.content == CONTENT
    assert session.complete
    assert session.ranges[0] == f"bytes 0-{CHUNK_STEP - 1}/*"
    assert session.ranges[-1].endswith(f"/{len(CONTENT)}")


@pytest.mark.parametrize("stands", [b"", metadata(6)])
def test_an_upload_that_is_said_to_be_complete_and_is_not_there(
    stands: bytes, opened: Callable[[str], GcsStore]
) -> None:
    """Its last chunk was sent twice, or asked after: the service may remember what it never finished."""
    session = Session("", "", "", "answer lost")
    session.stands = stands
    with scripted(session) as url:
        writer = opened(url).writer("a")
        writer.write(CONTENT)
        with pytest.raises(StorageUnavailable, match="success for a repeated request"):
            writer.commit()


def test_an_upload_ends_when_its_session_has(opened: Callable[[str], GcsStore]) -> None:
    session = Session("", "gone")
    with scripted(session) as url:
        writer = opened(url).writer("a")
        with pytest.raises(StorageError, match="410"):
            writer.write(CONTENT)
        writer.cancel()
    assert session.content == b"cancelled"


def test_an_object_that_is_no_longer_new_is_told(opened: Callable[[str], GcsStore]) -> None:
    with scripted(Session("", "", "", "taken")) as url:
        writer = opened(url).writer("a", mark="mine")
        writer.write(CONTENT)
        with pytest.raises(PathBusy):
            writer.commit()


@pytest.mark.parametrize("status", [200, 302, 500])
def test_a_range_that_is_ignored_is_no_content(status: int, opened: Callable[[str], GcsStore]) -> None:
    """It would be other bytes than were asked for: the whole object, or a proxy's page."""
    with (
        scripted(lambda _: Reply(status, CONTENT, {"X-Goog-Generation": "7"})) as url,
        pytest.raises(StorageError),
    ):
        opened(url).get("a", 10)


@pytest.mark.parametrize("status", [200, 302])
def test_a_chunk_is_arrived_only_where_the_service_says_so(
    status: int, opened: Callable[[str], GcsStore]
) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "POST":
            return Reply(200, headers={"Location": f"http://{request.headers['host']}/session"})
        return Reply(status)

    with scripted(answer) as url:
        writer = opened(url).writer("a")
        with pytest.raises(StorageError):
            writer.write(CONTENT)


@pytest.mark.parametrize(
    "arrived", [len(CONTENT), 2 * len(CONTENT), CHUNK_STEP // 2, 0], ids=["all", "more", "less", "nothing"]
)
def test_an_upload_ends_only_when_the_service_says_so(
    arrived: int, opened: Callable[[str], GcsStore]
) -> None:
    """A last chunk that is answered with how much stands is not an object yet."""
    session = Session("", "", "")

    def answer(request: Request) -> Reply:
        if request.headers.get("content-range", "").endswith(f"/{len(CONTENT)}"):
            return Reply(308, headers={"Range": f"bytes=0-{arrived - 1}"} if arrived else {})
        return session(request)

    with scripted(answer) as url:
        writer = opened(url).writer("a")
        writer.write(CONTENT)
        with pytest.raises(StorageError, match="chunk"):
            writer.commit()


def test_no_error_shows_the_sessions_url(opened: Callable[[str], GcsStore]) -> None:
    """Whoever has it can write the object."""

    def answer(request: Request) -> Reply:
        if request.method == "POST":
            return Reply(200, headers={"Location": f"http://{request.headers['host']}/s?upload_id=secret-"})
        return Reply(403, cut=0)

    with scripted(answer) as url:
        writer = opened(url).writer("a")
        with pytest.raises(StorageError, match="403") as refused:
            writer.write(CONTENT)
    with pytest.raises(StorageError, match="refused") as gone:
        writer.commit()
    assert "secret" not in f"{refused.value} {gone.value}"


def test_a_proxys_page_is_not_shown_whole(opened: Callable[[str], GcsStore]) -> None:
    with scripted(lambda _: Reply(403, b"<p>" * 10_000)) as url, pytest.raises(StorageError) as caught:
        opened(url).get("a")
    assert len(str(caught.value)) < 1000
