"""oras reads what udist pushed, and udist what oras pushed, over one folder that docker-registry serves."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.images.comparing import content_of
from tests.remote.loopback import stock_registry
from tests.tools import require_tool
from udist_plugin.bootstrap.apps import create_app
from udist_plugin.images.pull import pull_artifact
from udist_plugin.images.push import Source, push_artifact
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATED = "org.opencontainers.image.created"


@pytest.fixture
def oras() -> str:
    return require_tool("oras")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with stock_registry(tmp_path / "store") as port:
        yield port


@pytest.fixture
def registry(tmp_path: Path) -> RemoteRegistry:
    """Our own registry on the folder that docker-registry serves."""
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path / "store")}}}
    return RemoteRegistry(WSGITransport(create_app(config)))


def test_udist_pulls_what_oras_pushed(
    oras: str, port: int, registry: RemoteRegistry, tree: Path, tmp_path: Path
) -> None:
    target = f"127.0.0.1:{port}/demo:v1"
    subprocess.run(
        [oras, "push", "--plain-http", "--no-tty", target, *[path.name for path in tree.iterdir()]],
        check=True,
        timeout=60,
    )
    pulled = pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    assert content_of(tmp_path / "out") == content_of(tree)
    assert len(pulled.files) == 4


def test_oras_pulls_what_udist_pushed(
    oras: str, port: int, registry: RemoteRegistry, tree: Path, tmp_path: Path
) -> None:
    pushed = push_artifact(registry, "demo", [Source.of(path.name) for path in tree.iterdir()], tags=["v1"])
    target = f"127.0.0.1:{port}/demo:v1"
    printed = subprocess.check_output(
        [oras, "pull", "--plain-http", "--format", "json", "-o", tmp_path / "out", target], timeout=60
    )
    assert json.loads(printed)["reference"].endswith(pushed.descriptor.digest)
    assert content_of(tmp_path / "out") == content_of(tree)


def test_the_manifest_is_what_oras_writes(oras: str, port: int, registry: RemoteRegistry, tree: Path) -> None:
    target = f"127.0.0.1:{port}/demo:v1"
    notes = {CREATED: "2020-01-02T03:04:05Z", "a": "1"}
    subprocess.run(
        [oras, "push", "--plain-http", "--no-tty", "--artifact-type", "application/x.test"]
        + [word for key, value in notes.items() for word in ("-a", f"{key}={value}")]
        + [target, "big", "read me.txt:text/plain"],
        check=True,
        timeout=60,
    )
    sources = [Source.of("big"), Source.of("read me.txt", "text/plain")]
    pushed = push_artifact(
        registry, "demo", sources, artifact_type="application/x.test", annotations=notes, tags=["v2"]
    )
    assert registry.get_manifest("demo", "v1").content == pushed.manifest
