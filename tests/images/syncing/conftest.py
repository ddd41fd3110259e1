"""Two stores, and images for them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.images.sample import Layout
from tests.images.unjudged import copy_image
from udist_plugin.images.transports.udistribution import UdistributionTransport, new_transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from udist_plugin.registry import Registry


class Store:
    """A registry in this process, and its folder."""

    def __init__(self, transport: UdistributionTransport, root: Path) -> None:
        self.transport = transport
        self.root = root

    @property
    def registry(self) -> Registry:
        return self.transport.registry

    def at(self, name: str = "") -> str:
        return f"{self.transport.name}://{name}"

    def tags(self, name: str) -> dict[str, str]:
        """Tags with their digests."""
        return {
            tag: self.registry.resolve_manifest(name, tag).digest
            for tag in self.registry.list_tags(name).items
        }


class Images:
    """A layout of images, which are copied from there to stores."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self._count = 0

    def add(self, store: Store, name: str, *tags: str) -> str:
        """A new image in a repository under ``tags``: its digest."""
        self._count += 1
        image = self.layout.image(f"{self._count}", layers=[f"layer {self._count}".encode(), b"shared"])
        for tag in tags:
            copy_image(f"oci:{self.layout.root}:{self._count}", store.at(f"{name}:{tag}"))
        return str(image["digest"])

    def add_index(self, store: Store, name: str, tag: str) -> str:
        self._count += 1
        children = [
            self.layout.image(platform=f"linux/{each}", layers=[each.encode()], listed=False)
            for each in ("amd64", "arm64")
        ]
        index = self.layout.image_index(f"{self._count}", *children)
        copy_image(f"oci:{self.layout.root}:{self._count}", store.at(f"{name}:{tag}"))
        return str(index["digest"])

    def attach(self, store: Store, name: str, subject: str) -> str:
        """A manifest that refers to ``subject``, without a tag: its digest."""
        self._count += 1
        found = store.registry.resolve_manifest(name, subject)
        digest = self.layout.referrer(found.to_json(), f"text {self._count}".encode())["digest"]
        copy_image(f"oci:{self.layout.root}:@{digest}", store.at(f"{name}@{digest}"))
        return str(digest)

    def attach_image(self, store: Store, name: str, subject: str) -> str:
        """A container image that refers to ``subject``, without a tag: its digest."""
        self._count += 1
        image = self.layout.image(layers=[f"layer {self._count}".encode()], listed=False)
        document = json.loads(self.layout.path(image["digest"]).read_bytes())
        document["subject"] = store.registry.resolve_manifest(name, subject).to_json()
        found = self.layout.blob(json.dumps(document).encode(), document["mediaType"])
        self.layout.add(found, None)
        copy_image(f"oci:{self.layout.root}:@{found['digest']}", store.at(f"{name}@{found['digest']}"))
        return str(found["digest"])


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return Images(tmp_path / "images")


@contextmanager
def open_store(root: Path, *, tags: bool = False) -> Iterator[Store]:
    """With ``tags``, it keeps the tags of the distribution-spec's "Referrers Tag Schema"."""
    config = {
        "storage": {"filesystem": {"rootdirectory": str(root)}},
        "udist": {"referrers": {"tags": tags}},
    }
    with new_transport(config, {}, in_process=True) as transport:
        yield Store(transport, root)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "here") as store:
        yield store


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "there") as store:
        yield store
