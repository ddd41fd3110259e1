"""Events on disk: none is lost that a killed process had not delivered."""

from __future__ import annotations

import json
import logging
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.link.waiting import until
from tests.notifications.events import configured, push, receiving
from udist_plugin import Plugin, create_app
from udist_plugin.errors import TransportError
from udist_plugin.notifications.events import Moment
from udist_plugin.notifications.spool import Folder, Spool, Stored
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEAD = "http://127.0.0.1:1/"
BLOBS = [b"one", b"two", b"three"]


def kept(root: Path) -> list[Path]:
    return sorted(root.rglob("*.json"))


def spooled(url: str, root: Path, **more: Any) -> dict[str, Any]:
    return configured({"name": "test", "url": url}, own={"spool": str(root), **more})


def event(size: int = 0) -> Stored:
    return Stored(Moment.now().id, json.dumps({"events": ["x" * size]}).encode())


def push_by_plugin(plugin: Plugin, contents: Sequence[bytes]) -> list[str]:
    digests = []
    for content in contents:
        digest = Digest.of(content)
        with plugin.request("POST", f"/v2/a/blobs/uploads/?digest={digest}", body=content) as response:
            assert response.status == 201
        digests.append(str(digest))
    return digests


@pytest.mark.parametrize("acknowledged", [0, 1, 20])
def test_a_killed_plugin_loses_no_event_of_what_it_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    spool, contents = tmp_path / "spool", [b"%d" % number for number in range(acknowledged)]
    with Plugin(spooled(DEAD, spool), {}) as plugin:
        digests = push_by_plugin(plugin, contents)
        os.kill(plugin.pid, signal.SIGKILL)
        with pytest.raises(TransportError):
            until(lambda: plugin.request("GET", "/v2/").close())
    assert len(kept(spool)) == acknowledged
    with receiving() as receiver:
        with Plugin(spooled(receiver.url, spool), {}) as plugin:
            digests += push_by_plugin(plugin, [b"after"])
        assert receiver.digests == digests
    assert not kept(spool) and not list(spool.glob("*/*"))


def test_killed_while_it_delivers_an_event_may_come_twice(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    with receiving() as receiver:
        receiver.open.clear()
        with Plugin(spooled(receiver.url, spool), {}) as plugin:
            digests = push_by_plugin(plugin, BLOBS)
            until(lambda: receiver.server.asked)
            os.kill(plugin.pid, signal.SIGKILL)
        receiver.open.set()
        with Plugin(spooled(receiver.url, spool), {}) as plugin:
            digests += push_by_plugin(plugin, [b"after"])
        assert receiver.digests == [digests[0], *digests]


def test_closing_keeps_what_a_dead_endpoint_did_not_take(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It does not even wait for the rest of the drain time."""
    caplog.set_level(logging.INFO)
    configuration = spooled(DEAD, tmp_path) | {"http": {"draintimeout": "10h"}}
    with create_app(configuration) as app:
        digests = push(app, BLOBS)
    message = (
        f"notifications to test: 3 events were not sent: kept in {tmp_path}/test.events for the next start"
    )
    assert caplog.records[-1].message == message
    with receiving() as receiver:
        with create_app(spooled(receiver.url, tmp_path)):
            until(lambda: len(receiver.digests) == 3)
        assert receiver.digests == digests


def test_plugins_that_run_leave_one_another_s_events_alone(tmp_path: Path) -> None:
    with receiving() as receiver, Plugin(spooled(DEAD, tmp_path), {}) as one:
        push_by_plugin(one, BLOBS)
        with Plugin(spooled(receiver.url, tmp_path), {}) as other:
            digests = push_by_plugin(other, [b"other"])
        assert receiver.digests == digests
        assert len(kept(tmp_path)) == len(BLOBS)


def test_dropped_events_are_dropped_from_disk(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.open.clear()
        with create_app(spooled(receiver.url, tmp_path, queue=1 << 16)) as app:
            push(app, [b"%d" % number for number in range(300)])
            sizes = sum(path.stat().st_size for path in kept(tmp_path))
            receiver.open.set()
    assert 1 << 15 < sizes <= 1 << 16
    assert not kept(tmp_path)


def left_behind(place: Path, *events: Stored) -> None:
    folder = Folder.make(str(place))
    for each in events:
        folder.keep(each)
    folder.close()


def test_events_of_several_processes_come_in_the_order_of_time(tmp_path: Path) -> None:
    events = [event() for _ in range(6)]
    left_behind(tmp_path / "a.events", *events[::2])
    left_behind(tmp_path / "a.events", *events[1::2])
    spool = Spool(str(tmp_path), "a")
    assert spool.adopt(1 << 20) == (events, 0)
    spool.close()
    assert Spool(str(tmp_path), "a").adopt(0) == ([], 6)  # nothing was removed until now
    assert Spool(str(tmp_path), "b").adopt(1 << 20) == ([], 0)


def test_what_is_too_much_is_given_up_from_the_oldest(tmp_path: Path) -> None:
    events = [event(1000) for _ in range(6)]
    left_behind(tmp_path / "a.events", *events)
    spool = Spool(str(tmp_path), "a")
    assert spool.adopt(3 * len(events[0].body)) == (events[3:], 3)
    spool.close()
    assert len(kept(tmp_path)) == 3


@pytest.mark.parametrize("size", [0, 10])
def test_an_event_that_was_cut_short_is_none(tmp_path: Path, size: int) -> None:
    first, second = event(), event()
    left_behind(tmp_path / "a.events", first, second)
    os.truncate(kept(tmp_path)[0], size)
    spool = Spool(str(tmp_path), "a")
    assert spool.adopt(1 << 20) == ([second], 0)
    spool.remove(second)
    spool.close()
    assert list((tmp_path / "a.events").iterdir()) == []


def test_a_spool_that_cannot_be_written_costs_no_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "file"
    file.touch()
    with receiving() as receiver:
        with create_app(spooled(receiver.url, file)) as app:
            digests = push(app, BLOBS)
        assert receiver.digests == digests
    assert "an event is kept in memory only" in caplog.text


def test_an_event_that_comes_while_the_spool_closes_is_kept(tmp_path: Path) -> None:
    """Closing comes as soon as it can: whenever the spool lets go of its lock."""
    spool = Spool(str(tmp_path), "a")
    lock = spool._lock

    class ClosesAfterwards:
        def __enter__(self) -> None:
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()
            spool._lock = lock
            spool.close()

    spool._lock = ClosesAfterwards()  # type: ignore[assignment]
    kept_event = event()
    spool.keep(kept_event)
    assert Spool(str(tmp_path), "a").adopt(1 << 20) == ([kept_event], 0)


@pytest.mark.parametrize("name", ["../a", "a b/c", ".", "x" * 200])
def test_any_name_is_a_folder_of_its_own(tmp_path: Path, name: str) -> None:
    spool = Spool(str(tmp_path / "spool"), name)
    kept_event = event()
    spool.keep(kept_event)
    (path,) = kept(tmp_path)
    assert path.parent.parent.parent == tmp_path / "spool"
    spool.close()


def test_ids_are_in_the_order_of_time() -> None:
    ids = [Moment.now().id for _ in range(1000)]
    assert len({*ids}) == 1000
    assert [each[:18] for each in ids] == sorted(each[:18] for each in ids)
    assert {(each[14], each[19] in "89ab") for each in ids} == {("7", True)}
