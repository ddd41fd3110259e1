"""Files pushed and pulled where a file system shares content: nothing is copied, everything is verified."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import DigestInvalid
from udist_plugin.images.pull import pull_artifact
from udist_plugin.images.push import Source, push_artifact
from udist_plugin.link import file_content
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux opens another's descriptors")

CONTENT = os.urandom(1_500_000)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RemoteRegistry]:
    """Has ``CONTENT`` as the file of the artifact ``demo:v1``."""
    (tmp_path / "file").write_bytes(CONTENT)
    with Plugin({"storage": {"filesystem": {"rootdirectory": tmp_path / "store"}}}, {}) as plugin:
        registry = RemoteRegistry(plugin)
        push_artifact(registry, "demo", [Source.of(str(tmp_path / "file"))], tags=["v1"])
        yield registry


def test_a_file_that_is_shared_is_pulled(
    registry: RemoteRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = []

    def clone(source: int, offset: int, length: int, target: int) -> None:
        lengths.append(os.copy_file_range(source, target, length, offset))

    monkeypatch.setattr(file_content, "clone", clone)
    pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert lengths == [len(CONTENT)]
    assert (tmp_path / "out" / "file").read_bytes() == CONTENT


def test_it_is_the_new_file_that_is_verified(
    registry: RemoteRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clone(source: int, offset: int, length: int, target: int) -> None:
        os.write(target, b"?" + CONTENT[1:])

    monkeypatch.setattr(file_content, "clone", clone)
    with pytest.raises(DigestInvalid):
        pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert list((tmp_path / "out").iterdir()) == []
