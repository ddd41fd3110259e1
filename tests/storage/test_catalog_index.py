"""The list of repositories of an object store, where a look into each is a request."""

from __future__ import annotations

import pytest

from tests.drivers.memory_store import MemoryObjects, MemoryStore
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_INDEX
from udist_plugin.registry import Page
from udist_plugin.storage import catalog_index, paths, stretches
from udist_plugin.storage.catalog import LOOKS
from udist_plugin.storage.registry import StorageRegistry

NAMES = sorted(
    ["group/sub/one", "group/sub", "other", *(f"group/r{number:03}" for number in range(2 * LOOKS))]
)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    for name in NAMES:
        add(store, name)
    return store


def add(store: MemoryStore, name: str, files: int = 1) -> None:
    for number in range(files):
        path = f"{paths.REPOSITORIES}/{name}/_manifests/tags/v{number}/current/link"
        MemoryObjects(store).put_content(path, b"x")


def registry(store: MemoryStore, *, save: bool = True) -> StorageRegistry:
    return StorageRegistry(MemoryObjects(store), save_referrers=save)


def listed(store: MemoryStore) -> tuple[list[str], int]:
    """What a plugin that was just started lists, and by how many requests."""
    store.requests.clear()
    return registry(store).list_repositories().items, len(store.requests)


def test_what_was_found_once_is_not_looked_into_again(store: MemoryStore) -> None:
    found, requests = listed(store)
    assert (found, requests > LOOKS) == (NAMES, True)
    found, requests = listed(store)
    assert found == NAMES
    assert requests == 5  # the index, what is new, and the names in the root, group, group/sub


def test_pages_come_from_the_index_too(store: MemoryStore) -> None:
    listed(store)
    found: list[str] = []
    last: str | None = ""
    while last is not None:
        page = registry(store).list_repositories(7, last)
        found += page.items
        last = page.last
    assert found == NAMES


def test_a_small_page_needs_no_index(store: MemoryStore) -> None:
    assert registry(store).list_repositories(10) == Page(NAMES[:10], NAMES[9])
    assert not MemoryObjects(store).exists(paths.CATALOG)


def test_what_is_new_or_gone_is_seen_at_once(store: MemoryStore) -> None:
    listed(store)
    for name in ("group/new", "group/sub/two/below", "anew"):
        add(store, name)
    MemoryObjects(store).delete(f"{paths.REPOSITORIES}/other")
    expected = sorted({*NAMES, "group/new", "group/sub/two/below", "anew"} - {"other"})
    assert listed(store)[0] == expected


def test_what_is_new_below_a_repository_is_seen_in_time(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(store)
    add(store, "other/below")  # as a stock server does
    assert "other/below" not in listed(store)[0]
    monkeypatch.setattr(catalog_index, "TRUSTED", 0.0)
    assert "other/below" in listed(store)[0]


def test_what_is_pushed_below_a_repository_is_seen_at_once(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = registry(store)
    reader.list_repositories()
    content = b'{"schemaVersion":2,"manifests":[]}'
    for name in ("above", "above/below", "above/next/below"):
        registry(store).push_manifest(name, Manifest.parse(content, OCI_INDEX))
        assert name in reader.list_repositories().items
        assert name in listed(store)[0]
    assert len(MemoryObjects(store).list(paths.NEWS)) == 1
    monkeypatch.setattr(catalog_index, "TRUSTED", 0.0)
    assert {"above/below", "above/next/below"} <= {*listed(store)[0]}
    assert not MemoryObjects(store).exists(paths.NEWS)


def test_word_of_a_repository_is_left_once(store: MemoryStore) -> None:
    writer = registry(store)
    document = Manifest.parse(b'{"schemaVersion":2,"manifests":[]}', OCI_INDEX)
    for name in ("above", "above/below"):
        writer.push_manifest(name, document)
    store.requests.clear()
    writer.push_manifest("above/below", document)
    about = (paths.NEWS[1:], paths.manifests("above")[1:])
    assert [request for request in store.requests if any(path in request for path in about)] == []


@pytest.mark.parametrize(
    "content", [b"", b"yesterday\nother", b"\xff", b"0.0\nother", b"1e300\nother", b"nan\nx"]
)
def test_a_broken_index_is_none(store: MemoryStore, content: bytes) -> None:
    MemoryObjects(store).put_content(paths.CATALOG, content)
    assert listed(store)[0] == NAMES


def test_nothing_is_written_to_a_store_that_is_read_only(store: MemoryStore) -> None:
    for _ in range(2):
        assert registry(store, save=False).list_repositories().items == NAMES
    assert not MemoryObjects(store).exists(paths.CATALOG)


def test_what_a_large_repository_holds_is_skipped(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "CROWD", 3)
    add(store, "large", files=50)
    add(store, "large/below")
    assert listed(store)[0] == sorted([*NAMES, "large", "large/below"])
    walks = [request for request in store.requests if request == f"objects {paths.REPOSITORIES[1:]}/"]
    assert len(walks) == 3 + 1  # up to large, from there, from other; and behind what large holds


def test_a_store_is_walked_in_stretches(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCHES", 3)
    assert listed(store)[0] == NAMES
    one = MemoryStore()
    names = sorted(["a/b", *(f"a/b/{name}" for name in ("0", "0/c", "c", "c-d", "c/d", "c.d", "e0", "f_g"))])
    names += [f"a/b/x{number:03}" for number in range(LOOKS)]
    for name in names:
        add(one, name)
    assert listed(one)[0] == names
    root = f"objects {paths.REPOSITORIES[1:]}/"
    starts = sorted(request for request in one.requests if request.startswith(root))
    # From the beginning, from within a/b, and from further on in it up to the end.
    assert starts == [root, root, f"{root}a/", f"{root}a/b/", f"{root}a/b/"]
