"""What large objects are made of: it belongs to one object, and goes with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from udist_plugin.drivers.swift import segments as swift_segments
from udist_plugin.drivers.swift import transfers as swift_transfers
from udist_plugin.drivers.swift.settings import settings
from udist_plugin.drivers.swift.store import SwiftStore
from udist_plugin.errors import PathBusy, PathNotFound, StorageError

if TYPE_CHECKING:
    from tests.drivers.swift.account import Account

CHUNK = 1000
MOST = 20
"""Segments of a manifest, by the configuration of the tests' Swift."""


@pytest.fixture
def store(parameters: dict[str, object]) -> SwiftStore:
    return SwiftStore(settings({**parameters, "chunksize": CHUNK})[0])


def write(store: SwiftStore, key: str, content: bytes, mark: str = "") -> None:
    writer = store.writer(key, mark=mark)
    writer.write(content)
    writer.commit()


def read(store: SwiftStore, key: str) -> bytes:
    with store.get(key) as content:
        return content.read()


def segments(container: Account) -> list[str]:
    return container.names("segments/")


def test_more_segments_than_a_manifest_holds(store: SwiftStore, container: Account) -> None:
    content = bytes(range(256)) * (CHUNK * (MOST + 3) // 256)
    write(store, "a", content)
    assert read(store, "a") == content
    assert len(segments(container)) > MOST + 2
    store.delete(["a"])
    assert container.names() == []


def test_a_joined_object_has_segments_of_its_own(
    store: SwiftStore, container: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swift_transfers, "CARRIED_MAX", 10)
    monkeypatch.setattr(swift_segments, "COPIED_MAX", CHUNK)
    parts = [b"a" * 3500, b"b" * 5, b"", b"c" * 700]
    for number, part in enumerate(parts):
        write(store, f"part/{number}", part)
    store.join([store.head(f"part/{number}") for number in range(len(parts))], "whole")
    store.delete([f"part/{number}" for number in range(len(parts))])
    assert read(store, "whole") == b"".join(parts)
    store.join([store.head("whole")], "moved")
    store.delete(["whole"])
    assert read(store, "moved") == b"".join(parts)
    store.delete(["moved"])
    assert container.names() == []


def test_a_large_source_that_has_changed_is_not_joined(
    store: SwiftStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swift_transfers, "CARRIED_MAX", 10)
    write(store, "a", b"1" * 2500)
    source = store.head("a")
    write(store, "a", b"2" * 2500)
    with pytest.raises(PathNotFound):
        store.join([source, source], "whole")
    with pytest.raises(PathNotFound):
        store.head("whole")


def test_what_a_cancelled_writer_sent_goes(store: SwiftStore, container: Account) -> None:
    writer = store.writer("a")
    writer.write(b"x" * (CHUNK * 6))
    assert segments(container)
    writer.cancel()
    store.purge("", -60)
    assert container.names() == []


def test_a_refused_commit_takes_nothing_from_who_was_first(store: SwiftStore) -> None:
    late = store.writer("a", mark="mine")
    late.write(b"m" * 2500)
    write(store, "a", b"t" * 2500, "theirs")
    with pytest.raises(PathBusy):
        late.commit()
    late.cancel()
    assert (read(store, "a"), store.head("a").mark) == (b"t" * 2500, "theirs")


def test_purging_takes_old_segments_that_belong_to_no_object(store: SwiftStore, container: Account) -> None:
    for content in (b"1" * 2500, b"2" * 2500):
        write(store, "f/a", content)
    write(store, "g/b", b"3" * 2500)
    killed = store.writer("f/c")
    killed.write(b"4" * (CHUNK * 6))
    before = segments(container)
    assert len(before) > 9
    store.purge("f/", 3600)
    store.purge("other/", -60)
    assert set(before) <= set(segments(container))
    store.purge("f/", -60)
    left = segments(container)
    assert len([name for name in left if "/f/a/" in name]) == 3
    assert len([name for name in left if "/g/b/" in name]) == 3
    assert read(store, "f/a") == b"2" * 2500
    assert read(store, "g/b") == b"3" * 2500


def test_segments_of_others_stay(store: SwiftStore, container: Account) -> None:
    """A manifest may name anything, what another manifest names too."""
    container.put("elsewhere/1", b"x" * 10)
    manifest = json.dumps([{"path": f"/{container.name}/elsewhere/1"}])
    for name in ("a", "b"):
        container.library.put_object(container.name, name, manifest, query_string="multipart-manifest=put")
    store.delete(["a"])
    assert read(store, "b") == b"x" * 10
    assert container.names() == ["b", "elsewhere/1"]


def distribution_s(container: Account, path: str) -> str:
    """The prefix of segments, two of which stand there, as distribution 2.8 names them for that file."""
    name = (path.encode() + b"r" * 32 + bytes.fromhex("da39a3ee5e6b4b0d3255bfef95601890afd80709")).hex()
    prefix = f"segments/{name[:3]}/{name[3:]}"
    for number in (1, 2):
        container.put(f"{prefix}/{number:016}", b"%d" % number * 10)
    return prefix


def test_segments_of_distribution_go_with_the_one_object_they_belong_to(
    store: SwiftStore, container: Account
) -> None:
    upload, blob = "files/uploads/1/data", "files/blobs/1/data"
    manifest = f"{container.name}/{distribution_s(container, '/uploads/1/data')}"
    for name in (upload, blob):  # as distribution leaves them when it is killed while it moves the one
        container.put(name, b"", X_Object_Manifest=manifest)
    assert store.head(blob).size == 20
    store.delete([upload])
    assert read(store, blob) == b"1" * 10 + b"2" * 10
    container.put(upload, b"", X_Object_Manifest=manifest)
    store.delete([blob])
    assert read(store, upload) == b"1" * 10 + b"2" * 10
    container.put(blob, b"", X_Object_Manifest=manifest)
    container.library.delete_object(container.name, upload)
    store.delete([blob])
    assert container.names() == []


def test_an_object_whose_segments_are_gone_is_an_error(store: SwiftStore, container: Account) -> None:
    write(store, "a", b"x" * 2500)
    for name in segments(container):
        container.library.delete_object(container.name, name)
    with pytest.raises(StorageError, match="segments of it are missing"):
        read(store, "a")
