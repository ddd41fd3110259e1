"""Deleting a manifest looks up every tag: some at once, and none may be missed."""

from __future__ import annotations

import threading

import pytest

from tests.storage.samples import image
from udist_plugin.drivers.base import SMALL_FILE_MAX
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import StorageError
from udist_plugin.oci.manifest import Manifest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry

AT_ONCE = 4
TAGS = [f"v{number}" for number in range(AT_ONCE * 3)]


class Gathering(InMemoryDriver):
    """Answers links of ``TAGS`` only when ``AT_ONCE`` are asked for together."""

    lookups = AT_ONCE

    def __init__(self) -> None:
        super().__init__()
        self.barrier: threading.Barrier | None = None

    def get_content(self, path: str, limit: int = SMALL_FILE_MAX) -> bytes:
        if self.barrier is not None and path.endswith("current/link") and "/kept/" not in path:
            self.barrier.wait(20)
        return super().get_content(path, limit)


def tagged(driver: InMemoryDriver, **options: int) -> StorageRegistry:
    registry = StorageRegistry(driver, **options)  # type: ignore[arg-type]
    kept = image(b"kept")
    registry.push_manifest("a", Manifest.parse(kept.content, kept.media_type), ["kept"])
    document = image()
    registry.push_manifest("a", Manifest.parse(document.content, document.media_type), TAGS)
    return registry


@pytest.mark.parametrize("options", [{}, {"tag_lookups": AT_ONCE}])
def test_tags_are_looked_up_at_once(options: dict[str, int]) -> None:
    driver = Gathering()
    if options:
        driver.lookups = 1  # type: ignore[misc]  # the configuration's number goes over the driver's
    registry = tagged(driver, **options)
    driver.barrier = threading.Barrier(AT_ONCE)
    registry.delete_manifest("a", image().digest)
    driver.barrier = None
    assert registry.list_tags("a").items == ["kept"]


def test_a_broken_link_points_at_nothing() -> None:
    driver = InMemoryDriver()
    registry = tagged(driver)
    driver.put_content(paths.tag_current("a", "broken"), b"")
    registry.delete_manifest("a", image().digest)
    assert registry.list_tags("a").items == ["kept"]
    assert driver.exists(paths.tag_current("a", "broken"))


class Failing(InMemoryDriver):
    failing = ""

    def get_content(self, path: str, limit: int = SMALL_FILE_MAX) -> bytes:
        if path == self.failing:
            raise StorageError("slow down", driver=self.name, path=path)
        return super().get_content(path, limit)


@pytest.mark.parametrize("lookups", [1, AT_ONCE])
def test_a_tag_that_cannot_be_looked_up_keeps_the_manifest(lookups: int) -> None:
    driver = Failing()
    registry = tagged(driver, tag_lookups=lookups)
    driver.failing = paths.tag_current("a", "v3")
    with pytest.raises(StorageError, match="slow down"):
        registry.delete_manifest("a", image().digest)
    driver.failing = ""
    assert registry.get_manifest("a", "v3").digest == image().digest
