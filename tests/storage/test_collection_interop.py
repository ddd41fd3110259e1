"""Stores that stock servers made are collected, and what is left of them passes their own collectors."""

from __future__ import annotations

import io
import json
import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from tests.storage.samples import Document, image, index, push, push_image
from tests.storage.stock import DEBIANS, collect_garbage, serving
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import DOCKER_MANIFEST
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import GRACE, collect
from udist_plugin.storage.collection.quarantine import Quarantine
from udist_plugin.storage.collection.retention import Policy, Retention
from udist_plugin.storage.leases import Leases
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.storage.scrubbing.scrub import Repair, scrub
from udist_plugin.storage.usage import usage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.stock import Stock

CONFIG, ONE, TWO, OLD = b"{}", b"one", b"two", b"old"
FIRST, SECOND, GONE = image(ONE), image(TWO), image(OLD)
INNER = index(FIRST)
OUTER = index(INNER, SECOND)
SIGNATURE = image(subject=OUTER, artifact_type="a/signature")
KEPT = {"v1": FIRST, "multi": OUTER}
STOCK = (DEBIANS, "registry")
"""Distribution 2 and 3."""


def fill(stock: Stock) -> None:
    for blob in (CONFIG, ONE, TWO, OLD, b"never used"):
        stock.push_blob("team/app", Digest.of(blob), blob)
    for document in (FIRST, SECOND, INNER, OUTER, SIGNATURE, GONE):
        stock.push_manifest("team/app", document, document.digest)
    for tag, document in KEPT.items():
        stock.push_manifest("team/app", document, tag)
    stock.push_blob("half", Digest.of(ONE), ONE)
    stock.start_upload("half")
    answer = stock.request("DELETE", f"/v2/team/app/manifests/{GONE.digest}")
    assert answer.status == 202, answer


def collect_twice(root: Path) -> None:
    """A run on everything, and one when the quarantine of the first is due."""
    driver = FilesystemDriver(str(root), paths.SCRATCH)
    then = time.time() - 2 * GRACE
    for data in root.rglob("data"):
        os.utime(data, (then, then))
    assert {step.action for step in collect(driver, apply=True)} == {"quarantine"}
    for run in Quarantine(driver).runs():
        os.utime(f"{root}{paths.QUARANTINE}/{run}/closed", (then, then))
    assert {step.action for step in collect(driver, apply=True, pause=lambda _: None)} == {"delete"}


def data_of(root: Path) -> set[str]:
    return {file.parent.name for file in root.rglob("data") if "_uploads" not in file.parts}


def check(stock: Stock, name: str, documents: dict[str, Document]) -> None:
    for target, document in documents.items():
        answer = stock.manifest(name, target)
        assert (answer.status, answer.content) == (200, document.content)
    for blob in (CONFIG, ONE, TWO):
        answer = stock.blob(name, Digest.of(blob))
        assert (answer.status, answer.content) == (200, blob)


@pytest.mark.parametrize("program", STOCK)
def test_a_store_that_a_stock_server_made(program: str, tmp_path: Path) -> None:
    root, config = tmp_path / "root", tmp_path / "config.yml"
    with serving(root, config, program) as stock:
        fill(stock)
        collect_twice(root)
        check(stock, "team/app", {**KEPT, SIGNATURE.digest: SIGNATURE, INNER.digest: INNER})
        kept = {Digest.of(blob).hex for blob in (CONFIG, ONE, TWO)}
        assert data_of(root) == kept | {
            document.digest.hex for document in (FIRST, SECOND, INNER, OUTER, SIGNATURE)
        }
        stock.push_blob("team/app", Digest.of(b"never used"), b"never used")
    collect_garbage(root, config, program=program)
    with serving(root, config, program) as stock:
        check(stock, "team/app", {**KEPT, SIGNATURE.digest: SIGNATURE})


@pytest.mark.parametrize("program", STOCK)
def test_both_collectors_agree_on_what_udist_wrote(program: str, tmp_path: Path) -> None:
    root, config = tmp_path / "root", tmp_path / "config.yml"
    registry = StorageRegistry(FilesystemDriver(str(root), paths.SCRATCH))
    for layer in (ONE, TWO):
        push_image(registry, "app", layer)
    push(registry, "app", INNER)
    push(registry, "app", OUTER, "multi")
    push(registry, "app", FIRST, "v1")
    push(registry, "app", SIGNATURE)
    push(registry, "lone", lone := index(), "v1")
    push(registry, "app", by_sha512 := image(ONE, algorithm="sha512"))
    registry.push_blob("app", Digest.of(TWO, "sha512"), io.BytesIO(TWO))
    gone = push_image(registry, "app", OLD)
    registry.delete_manifest("app", gone.digest)
    collect_twice(root)
    left = data_of(root)
    assert Digest.of(OLD).hex not in left
    assert gone.digest.hex not in left
    assert Digest.of(TWO, "sha512").hex not in left
    collect_garbage(root, config, program=program)
    assert data_of(root) == left
    with serving(root, config, program) as stock:
        check(stock, "app", {**KEPT, SIGNATURE.digest: SIGNATURE, by_sha512.digest: by_sha512})
        assert stock.manifest("lone", "v1").content == lone.content


@pytest.mark.parametrize("program", STOCK)
def test_foreign_layers_of_a_stock_server(program: str, tmp_path: Path) -> None:
    """One that only others have is not missed, and one that was pushed all the same is kept."""
    root, config = tmp_path / "root", tmp_path / "config.yml"
    document = foreign(b"of others", b"pushed as well")
    with serving(root, config, program) as stock:
        fill(stock)
        stock.push_blob("team/app", Digest.of(b"pushed as well"), b"pushed as well")
        stock.push_manifest("team/app", document, "windows")
    collect_twice(root)
    driver = FilesystemDriver(str(root), paths.SCRATCH)
    assert not [damage for damage in scrub(driver) if not damage.harmless]
    (used,) = usage(driver).repositories
    assert used.tags["windows"].size == len(CONFIG + ONE + b"pushed as well" + document.content)
    left = data_of(root)
    assert {document.digest.hex, Digest.of(b"pushed as well").hex} < left
    collect_garbage(root, config, program=program)
    assert data_of(root) == left
    with serving(root, config, program) as stock:
        check(stock, "team/app", {**KEPT, "windows": document})
        assert stock.blob("team/app", Digest.of(b"pushed as well")).content == b"pushed as well"


def foreign(*layers: bytes) -> Document:
    """An image on layers that its clients fetch elsewhere."""
    known = json.loads(image(ONE, *layers).content)
    known["mediaType"] = DOCKER_MANIFEST
    known["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
    first, *others = known["layers"]
    first["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    for layer in others:
        layer["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
        layer["urls"] = ["https://layers.example/base"]
    content = json.dumps(known).encode()
    return Document(content, DOCKER_MANIFEST, Digest.of(content))


@pytest.mark.parametrize("program", STOCK)
def test_half_deleted_repositories_of_a_stock_server(program: str, tmp_path: Path) -> None:
    """As a deletion of their folders leaves them that is killed on the way."""
    root, config = tmp_path / "root", tmp_path / "config.yml"
    folders = {"half/a": "_manifests", "half/b": "_manifests/revisions", "half/c": "_layers"}
    documents = {name: image(name.encode()) for name in folders}
    with serving(root, config, program) as stock:
        fill(stock)
        for name, document in documents.items():
            for blob in (CONFIG, name.encode()):
                stock.push_blob(name, Digest.of(blob), blob)
            stock.push_manifest(name, document, "v1")
    for name, folder in folders.items():
        shutil.rmtree(f"{root}{paths.REPOSITORIES}/{name}/{folder}")
    collect_twice(root)
    left = data_of(root)
    assert {document.digest.hex for document in documents.values()} & left == {documents["half/c"].digest.hex}
    driver = FilesystemDriver(str(root), paths.SCRATCH)
    assert "half/c" in [each.name for each in usage(driver).repositories]
    found = [damage for damage in scrub(driver, repair=Repair(links=True)) if not damage.harmless]
    assert [(each.kind, each.path.split("/")[6], each.repaired, each.lost) for each in found] == [
        ("tag", "b", True, False),
        ("manifest", "c", False, False),
    ]
    with serving(root, config, program) as stock:
        check(stock, "team/app", KEPT)
        assert (stock.manifest("half/b", "v1").status, stock.manifest("half/c", "v1").status) == (404, 200)
        stock.push_blob("half/c", Digest.of(b"half/c"), b"half/c")
        stock.push_blob("half/c", Digest.of(CONFIG), CONFIG)
    assert not [damage for damage in scrub(driver) if not damage.harmless]


@pytest.mark.parametrize("program", STOCK)
def test_untagged_manifests_of_a_stock_server_go(program: str, tmp_path: Path) -> None:
    """Its own collector, which runs in between, deletes what is in quarantine, and nothing that stays."""
    root, config = tmp_path / "root", tmp_path / "config.yml"
    untagged = image(TWO, annotations={"a": "untagged"})
    signature = image(ONE, annotations={"a": "cosign"})
    with serving(root, config, program) as stock:
        fill(stock)
        stock.push_manifest("team/app", untagged, untagged.digest)
        stock.push_manifest("team/app", signature, f"{referrers_tag(OUTER.digest)}.sig")
        stock.push_manifest("team/app", GONE, "dangling")
        assert stock.request("DELETE", f"/v2/team/app/manifests/{GONE.digest}").status == 202
    driver = FilesystemDriver(str(root), paths.SCRATCH)
    Leases(driver).create(StorageRegistry(driver), "backup", ["team/app:v1"])
    gone: list[str] = []
    for _ in range(4):
        age(root)
        steps = list(
            collect(driver, apply=True, retention=Retention((Policy(untagged=True),)), pause=lambda _: None)
        )
        gone += [step.digest for step in steps if step.name and step.action == "quarantine"]
        collect_garbage(root, config, program=program)
    assert gone == [untagged.digest]
    assert Quarantine(driver).runs() == []
    assert [lease.reference for lease in Leases(driver).list()] == ["team/app:v1"]
    assert data_of(root) == {Digest.of(blob).hex for blob in (CONFIG, ONE, TWO)} | {
        document.digest.hex for document in (FIRST, SECOND, INNER, OUTER, SIGNATURE, signature)
    }
    with serving(root, config, program) as stock:
        check(stock, "team/app", {**KEPT, SIGNATURE.digest: SIGNATURE, INNER.digest: INNER})
        assert stock.manifest("team/app", untagged.digest).status == 404


def age(root: Path) -> None:
    """Everything is two days older."""
    for file in root.rglob("*"):
        if file.is_file():
            then = file.stat().st_mtime - 2 * GRACE
            os.utime(file, (then, then))


def test_what_distribution_3_pushed_by_sha512_is_kept(tmp_path: Path) -> None:
    root, config = tmp_path / "root", tmp_path / "config.yml"
    digest = Digest.of(ONE, "sha512")
    plain = image(ONE)
    content = plain.content.replace(Digest.of(ONE).encode(), digest.encode())
    document = Document(content, plain.media_type, Digest.of(content))
    with serving(root, config, "registry") as stock:
        for name in (Digest.of(CONFIG), Digest.of(OLD)):
            stock.push_blob("app", name, CONFIG if name == Digest.of(CONFIG) else OLD)
        stock.push_blob("app", digest, ONE)
        stock.push_manifest("app", document, "v1")
        collect_twice(root)
        assert stock.blob("app", digest).content == ONE
        assert stock.manifest("app", "v1").content == content
