"""A registry to push to, and something to push."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.http_api.memory import MemoryRegistry
from udist_plugin.http_api.app import Application
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def registry() -> RemoteRegistry:
    return RemoteRegistry(WSGITransport(Application(MemoryRegistry())))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with files, folders, a link, an executable, odd names and empty things."""
    root = tmp_path / "work"
    (root / "folder/sub/empty").mkdir(parents=True)
    (root / "read me.txt").write_text("hello\n")
    (root / "empty").touch()
    (root / "big").write_bytes(bytes(range(256)) * 20000)
    (root / "folder/a").write_text("a")
    (root / "folder/sub/größe").write_text("umlaut")
    (root / f"folder/{'long' * 60}").write_text("long")
    (root / "folder/run").write_text("#!/bin/sh\n")
    (root / "folder/run").chmod(0o755)
    (root / "folder/sub/link").symlink_to("../a")
    monkeypatch.chdir(root)
    return root
