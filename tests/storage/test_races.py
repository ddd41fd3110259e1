"""Pushes and deletions at the same time, in the orders that lose something unless both look again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import image, push
from udist_plugin.errors import ManifestUnknown
from udist_plugin.registry import Page
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from udist_plugin.drivers.base import StorageDriver

OLD, NEW = image(b"old"), image(b"new")


@pytest.fixture
def other(driver: StorageDriver) -> StorageRegistry:
    """Another registry on the same store."""
    return StorageRegistry(driver)


def move_before_deletion(driver: StorageDriver, monkeypatch: pytest.MonkeyPatch, *tags: str) -> None:
    """Moves the tags when the first of them is about to be deleted, after a look where they point."""
    delete_if = driver.delete_if

    def overtaken(path: str, holding: str, content: bytes) -> bool:
        monkeypatch.setattr(driver, "delete_if", delete_if)
        push(StorageRegistry(driver), "a", NEW, *tags)
        return delete_if(path, holding, content)

    monkeypatch.setattr(driver, "delete_if", overtaken)


def test_a_tag_that_is_moved_while_its_manifest_is_deleted_stays(
    registry: StorageRegistry, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(registry, "a", OLD, "v1", "v2", "v3")
    move_before_deletion(driver, monkeypatch, "v1", "v2")
    registry.delete_manifest("a", OLD.digest)
    assert registry.list_tags("a") == Page(["v1", "v2"])
    for tag in ("v1", "v2"):
        assert registry.get_manifest("a", tag).digest == NEW.digest
    with pytest.raises(ManifestUnknown):
        registry.get_manifest("a", OLD.digest)


def test_a_tag_that_is_moved_while_it_is_deleted_stays(
    registry: StorageRegistry, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(registry, "a", OLD, "v1")
    move_before_deletion(driver, monkeypatch, "v1")
    registry.delete_tag("a", "v1")
    assert registry.get_manifest("a", "v1").digest == NEW.digest
    registry.delete_tag("a", "v1")
    assert registry.list_tags("a") == Page([])


def test_a_manifest_that_is_deleted_before_its_new_tags_are_seen_is_linked_again(
    registry: StorageRegistry, other: StorageRegistry, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion is over before the tags stand, so it cannot see them: the push has to see the deletion."""
    push(registry, "a", OLD)
    put_contents = driver.put_contents

    def overtaken(*steps: Mapping[str, bytes], may_vanish: Collection[str]) -> None:
        put_contents(*steps[:-1], may_vanish=may_vanish)
        other.delete_manifest("a", OLD.digest)
        put_contents(steps[-1])

    monkeypatch.setattr(driver, "put_contents", overtaken)
    push(registry, "a", OLD, "v1")
    for view in (registry, other):
        assert view.get_manifest("a", "v1").content == OLD.content
        assert view.get_manifest("a", OLD.digest).content == OLD.content


def test_a_manifest_that_gets_tags_while_it_is_deleted_takes_them_along(
    registry: StorageRegistry, other: StorageRegistry, driver: StorageDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The push is over before the deletion takes the manifest: the deletion has to look for tags again."""
    push(registry, "a", NEW, "kept")
    push(registry, "a", OLD)
    delete = driver.delete

    def overtaken(path: str, *, durable: bool = True) -> None:
        monkeypatch.setattr(driver, "delete", delete)
        push(other, "a", OLD, "v1")
        delete(path, durable=durable)

    monkeypatch.setattr(driver, "delete", overtaken)
    registry.delete_manifest("a", OLD.digest)
    assert registry.list_tags("a") == Page(["kept"])
    with pytest.raises(ManifestUnknown):
        registry.get_manifest("a", "v1")
