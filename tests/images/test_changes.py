"""A file that changes while it is read is named."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from udist_plugin.errors import ManifestUnknown, NameUnknown, SourceInvalid
from udist_plugin.images.push import Source, push_artifact

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from udist_plugin.content import Readable
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.remote.registry import RemoteRegistry


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, 1000)


def rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"other")
    os.utime(path, (1, 1))


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
def test_a_file_that_changes_between_hashing_and_sending_is_named(
    registry: RemoteRegistry, tree: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    push_blob = registry.push_blob

    def late(name: str, digest: Digest, content: Readable) -> Descriptor:
        change(tree / "big")
        return push_blob(name, digest, content)

    monkeypatch.setattr(registry, "push_blob", late)
    with pytest.raises(SourceInvalid, match=r"^big: changed while it was read"):
        push_artifact(registry, "demo", [Source.of("big")], tags=["v1"])
    with pytest.raises((ManifestUnknown, NameUnknown)):
        registry.resolve_manifest("demo", "v1")


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
def test_a_file_of_a_folder_that_changes_while_it_is_packed_is_named(
    registry: RemoteRegistry, tree: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    (tree / "folder/big").write_bytes(bytes(range(256)) * 20000)
    addfile = tarfile.TarFile.addfile

    def slow(self: tarfile.TarFile, entry: tarfile.TarInfo, file: object = None) -> None:
        if entry.name == "folder/big":
            change(tree / "folder/big")
        addfile(self, entry, file)  # type: ignore[arg-type]

    monkeypatch.setattr(tarfile.TarFile, "addfile", slow)
    with pytest.raises(SourceInvalid, match=r"^folder/big: changed while it was read"):
        push_artifact(registry, "demo", [Source.of("folder")], tags=["v1"])
    assert registry.list_repositories().items == []


def test_an_error_about_a_file_that_did_not_change_stays_itself(
    registry: RemoteRegistry, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(registry, "push_blob", broken)
    with pytest.raises(ZeroDivisionError):
        push_artifact(registry, "demo", [Source.of("big")])
