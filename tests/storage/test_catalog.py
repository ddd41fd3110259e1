"""The list of repositories, and how little of a store is looked at for a page of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import image, index, push
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import Page
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.storage.registry import StorageRegistry

NAMES = sorted(["a", "a-b", "a.b", "a/b", "a/b/c", "a/b-c", "a0", "a__b", "b/c/d/e", "z"])


def fill(registry: StorageRegistry) -> None:
    for name in NAMES:
        push(registry, name, image())


def test_an_empty_store_has_none(registry: StorageRegistry) -> None:
    assert registry.list_repositories() == Page([])
    assert registry.list_repositories(10, "a") == Page([])


def test_repositories_are_listed_in_lexical_order(registry: StorageRegistry) -> None:
    fill(registry)
    assert registry.list_repositories() == Page(NAMES)
    assert registry.list_repositories(0) == Page([], "")


def test_repositories_come_in_pages(registry: StorageRegistry) -> None:
    fill(registry)
    for limit in range(1, len(NAMES) + 2):
        found: list[str] = []
        last: str | None = ""
        while last is not None:
            items, last = registry.list_repositories(limit, last)
            assert len(items) <= limit
            found += items
        assert found == NAMES


@pytest.mark.parametrize(
    "last", ["", "A", "a", "a-", "a/", "a/b", "a/bb", "a/b/c/d", "b", "b/c/d/e", "zz", "ä"]
)
def test_any_text_can_be_the_last(registry: StorageRegistry, last: str) -> None:
    fill(registry)
    assert registry.list_repositories(None, last).items == [name for name in NAMES if name > last]


def test_only_what_holds_manifests_is_a_repository(registry: StorageRegistry, driver: StorageDriver) -> None:
    registry.start_upload("only/an/upload")
    registry.push_blob("only/a/blob", Digest.of(b"x"), io.BytesIO(b"x"))
    for path in ("README", "Upper/_layers/x", "-/_layers/x", "a.-b/_layers/x"):
        driver.put_content(f"{paths.REPOSITORIES}/{path}", b"x")
    push(registry, "only/a/manifest", index())
    assert registry.list_repositories() == Page(["only/a/manifest"])


def test_a_page_looks_only_where_it_must(
    registry: StorageRegistry, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for group in range(10):
        for number in range(10):
            push(registry, f"g{group}/n{number}", index())
    looked_into: list[str] = []
    driver_list = driver.list

    def recorded(path: str) -> list[str]:
        looked_into.append(path)
        return driver_list(path)

    monkeypatch.setattr(driver, "list", recorded)
    assert registry.list_repositories(3, "g7/n4") == Page(["g7/n5", "g7/n6", "g7/n7"], "g7/n7")
    assert len(looked_into) <= 7
