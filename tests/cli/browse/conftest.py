"""A browser without a terminal, on a store in memory that counts what it is asked."""

from __future__ import annotations

import io
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from udist_plugin.cli.browse.rows import Rows
from udist_plugin.cli.browse.store import Store
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.images.system import THIS_SYSTEM
from udist_plugin.images.transports import Transports, open_repositories
from udist_plugin.images.transports.registry_repositories import RegistryRepositories
from udist_plugin.images.transports.udist import UdistTransport
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_EMPTY, OCI_MANIFEST
from udist_plugin.registry import Page, RegistryWrapper
from udist_plugin.storage.registry import StorageRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from textual.pilot import Pilot

    from udist_plugin.cli.browse.app import Browser
    from udist_plugin.registry import ManifestContent

ARTIFACT = {
    "schemaVersion": 2,
    "mediaType": OCI_MANIFEST,
    "artifactType": "application/vnd.example",
    "config": {"mediaType": OCI_EMPTY, "digest": str(Digest.of(b"{}")), "size": 2},
    "layers": [],
}


class Counted(RegistryWrapper):
    """Keeps how many names each page had, and which manifests were read; raises ``failure`` if there is
    one."""

    def __init__(self) -> None:
        super().__init__(StorageRegistry(InMemoryDriver()))
        self.pages: list[int] = []
        self.read: list[str] = []
        self.failure: Exception | None = None

    def fill(self, name: str, tags: Sequence[str]) -> Digest:
        """Pushes one artifact with many tags."""
        self.inner.push_blob(name, Digest.of(b"{}"), io.BytesIO(b"{}"))
        return self.inner.push_manifest(name, Manifest.parse(json.dumps(ARTIFACT).encode()), tags).digest

    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        self._fail()
        page = super().list_tags(name, limit, last)
        self.pages.append(len(page.items))
        return page

    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        self._fail()
        self.read.append(target)
        return super().get_manifest(name, target)

    def delete_tag(self, name: str, tag: str) -> None:
        self._fail()
        super().delete_tag(name, tag)

    def _fail(self) -> None:
        if self.failure:
            raise self.failure


@pytest.fixture
def anyio_backend() -> str:
    """Textual's."""
    return "asyncio"


@pytest.fixture
def registry() -> Counted:
    return Counted()


@pytest.fixture
def store(registry: Counted) -> Store:
    return Store(RegistryRepositories(UdistTransport(), registry, "", lambda: None), THIS_SYSTEM)


def store_of(layout: Path) -> Store:
    return Store(open_repositories(f"oci:{layout}", Transports()), THIS_SYSTEM)


@asynccontextmanager
async def shown(browser: Browser) -> AsyncIterator[Pilot[int]]:
    async with browser.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        yield pilot


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Presses keys one by one, each when what the one before led to is there."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def settled(pilot: Pilot[int]) -> None:
    await pilot.pause()
    workers = [each for each in pilot.app.workers if each.group != "delete"]  # which waits for an answer
    if workers:  # none would mean all
        await pilot.app.workers.wait_for_complete(workers)
    await pilot.pause()


def rows(pilot: Pilot[int]) -> list[str]:
    """The labels of the tree's rows that are open."""
    tree = pilot.app.query_one(Rows)
    lines = (tree.get_node_at_line(number) for number in range(tree.last_line + 1))
    return [str(node.label) for node in lines if node]


def text(pilot: Pilot[int]) -> str:
    """What the pane says."""
    return str(pilot.app.query_one("Pane Static").render())
