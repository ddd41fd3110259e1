"""What a crash or a full disk cut short, as with servers that write in place, is mended by pushing again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.images.comparing import content_of
from udist_plugin.drivers.filesystem.driver import FilesystemDriver
from udist_plugin.http_api.app import Application
from udist_plugin.images.pull import pull_artifact
from udist_plugin.images.push import Source, push_artifact
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.wrappers.validation import ValidatingRegistry

if TYPE_CHECKING:
    from pathlib import Path


def registry(root: Path) -> RemoteRegistry:
    """As a plugin that was just started has it."""
    stored = StorageRegistry(FilesystemDriver(str(root), paths.SCRATCH))
    return RemoteRegistry(WSGITransport(Application(ValidatingRegistry(stored))))


def push(root: Path, tree: Path) -> None:
    sources = [Source.of(name) for name in sorted(os.listdir(tree))]
    push_artifact(registry(root), "demo", sources, tags=["v1"])


@pytest.mark.parametrize("left", [0, 1, 20])
@pytest.mark.parametrize("kind", ["data", "link"])
def test_what_was_cut_short_is_pushed_again(tree: Path, tmp_path: Path, kind: str, left: int) -> None:
    root = tmp_path / "store"
    push(root, tree)
    files = [path for path in root.rglob(kind) if path.stat().st_size > left]
    assert len(files) >= 3
    for number, file in enumerate(files):
        os.truncate(file, left)
        push(root, tree)
        pull_artifact(registry(root), "demo", "v1", str(tmp_path / f"out{number}"))
        assert content_of(tmp_path / f"out{number}") == content_of(tree), file
    for file in files:
        os.truncate(file, left)
    push(root, tree)
    pull_artifact(registry(root), "demo", "v1", str(tmp_path / "out"))
    assert content_of(tmp_path / "out") == content_of(tree)
