"""Many plugins on one store: each acknowledged write is read through all, and no deletion is missed."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.storage.many.conftest import PLUGINS
from tests.storage.samples import Document, image, push, push_image, read_blob
from udist_plugin.errors import BlobUnknown, BlobUploadUnknown, ManifestUnknown, NameUnknown
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.registry import Registry

    Registries = list[Registry]
    AtOnce = Callable[[Callable[[int], None]], None]

ROUNDS = 3
CHUNK = 300_000


@pytest.fixture
def name() -> str:
    """A repository of the test's own."""
    return f"team/{uuid4().hex}"


@pytest.fixture
def at_once() -> AtOnce:
    """Calls a function with the number of each plugin, in as many threads that begin together."""
    barrier = threading.Barrier(PLUGINS)

    def together(act: Callable[[int], None], number: int) -> None:
        barrier.wait(60)
        act(number)

    def all_together(act: Callable[[int], None]) -> None:
        with ThreadPoolExecutor(PLUGINS) as pool:
            for done in [pool.submit(together, act, number) for number in range(PLUGINS)]:
                done.result()

    return all_together


def tags(registry: Registry, name: str) -> list[str]:
    try:
        return registry.list_tags(name).items
    except NameUnknown:  # an object store keeps no empty folder, so there with the last tag its name goes
        return []


def check_image(registry: Registry, name: str, tag: str, document: Document, *layers: bytes) -> None:
    """The image is there with every byte."""
    assert registry.resolve_manifest(name, tag).digest == document.digest
    assert registry.get_manifest(name, tag).content == document.content
    for layer in layers:
        assert registry.resolve_blob(name, Digest.of(layer)).size == len(layer)
        assert read_blob(registry, name, Digest.of(layer)) == layer


def test_what_all_push_at_once_is_read_through_all(
    registries: Registries, name: str, at_once: AtOnce
) -> None:
    shared = os.urandom(CHUNK)
    own = [os.urandom(CHUNK // 10) for _ in registries]

    def act(number: int) -> None:
        registry = registries[number]
        same = push_image(registry, name, shared, tags=["same"])
        mine = push_image(registry, name, shared, own[number], tags=[f"own-{number}"])
        other = registries[number - 1]
        check_image(other, name, "same", same, shared)
        check_image(other, name, f"own-{number}", mine, shared, own[number])

    at_once(act)

    def check(number: int) -> None:
        registry = registries[number]
        check_image(registry, name, "same", image(shared), shared)
        for each, layer in enumerate(own):
            check_image(registry, name, f"own-{each}", image(shared, layer), layer)
        assert tags(registry, name) == [f"own-{each}" for each in range(PLUGINS)] + ["same"]
        assert name in registry.list_repositories().items

    at_once(check)


def test_a_tag_that_is_deleted_or_moved_is_so_for_all(registries: Registries, name: str) -> None:
    first, second = (push_image(registries[0], name, layer) for layer in (b"first", b"second"))
    for turn in range(ROUNDS):
        push(registries[turn], name, first, "moving")
        for registry in registries:
            check_image(registry, name, "moving", first, b"first")
        push(registries[turn + 1], name, second, "moving")
        for registry in registries:
            check_image(registry, name, "moving", second, b"second")
        registries[turn + 2].delete_tag(name, "moving")
        for registry in registries:
            with pytest.raises(ManifestUnknown):
                registry.resolve_manifest(name, "moving")
            assert tags(registry, name) == []


def test_tags_come_and_go_at_once(registries: Registries, name: str, at_once: AtOnce) -> None:
    images = [push_image(registries[0], name, layer) for layer in (b"first", b"second")]

    def act(number: int) -> None:
        tag = f"tag-{number}"
        for turn in range(ROUNDS):
            one, other = registries[number - turn], registries[number - turn - 1]
            document = images[turn % 2]
            push(one, name, document, tag)
            assert other.get_manifest(name, tag).content == document.content
            assert tag in tags(other, name)
            other.delete_tag(name, tag)
            with pytest.raises(ManifestUnknown):
                one.get_manifest(name, tag)
            assert tag not in tags(one, name)
        push(registries[number], name, images[0], tag)

    at_once(act)
    for registry in registries:
        assert tags(registry, name) == [f"tag-{number}" for number in range(PLUGINS)]


def test_one_tag_that_all_fight_for_is_whole(registries: Registries, name: str, at_once: AtOnce) -> None:
    layers = [f"layer {number}".encode() for number in range(PLUGINS)]
    images = [push_image(registries[0], name, layer) for layer in layers]

    def act(number: int) -> None:
        for turn in range(ROUNDS):
            push(registries[number - turn], name, images[number], "contended")
            assert registries[number].resolve_manifest(name, "contended").digest in digests

    digests = {document.digest for document in images}
    at_once(act)
    assert len({registry.resolve_manifest(name, "contended").digest for registry in registries}) == 1


def test_blobs_and_manifests_that_are_deleted_are_so_for_all(registries: Registries, name: str) -> None:
    layer = os.urandom(CHUNK)
    for turn in range(ROUNDS):
        document = push_image(registries[turn], name, layer, tags=["v1", "v2"])
        for registry in registries:
            check_image(registry, name, "v1", document, layer)
        registries[turn + 1].delete_manifest(name, document.digest)
        registries[turn + 2].delete_blob(name, Digest.of(layer))
        for registry in registries:
            for target in ("v1", "v2", document.digest):
                with pytest.raises(ManifestUnknown):
                    registry.resolve_manifest(name, target)
            assert tags(registry, name) == []
            for look in (registry.resolve_blob, registry.open_blob):
                with pytest.raises(BlobUnknown):
                    look(name, Digest.of(layer))


def test_uploads_go_on_through_other_plugins(registries: Registries, name: str, at_once: AtOnce) -> None:
    def act(number: int) -> None:
        content = os.urandom(CHUNK * 3)
        digest = Digest.of(content)
        upload_id = registries[number].start_upload(name).id
        for step in range(3):
            upload = registries[number - step - 1].resume_upload(name, upload_id)
            assert upload.offset == step * CHUNK
            upload.write(io.BytesIO(content[step * CHUNK : (step + 1) * CHUNK]))
        assert registries[number - 4].resume_upload(name, upload_id).commit(digest).size == len(content)
        for registry in (registries[number], registries[number - 5]):
            assert read_blob(registry, name, digest) == content
            with pytest.raises(BlobUploadUnknown):
                registry.resume_upload(name, upload_id)

    at_once(act)
