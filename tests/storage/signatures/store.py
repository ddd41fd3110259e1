"""A folder that udist and distribution serve in turn, and the clients that read and write it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.conformance.bridge import bridged
from tests.storage.stock import Stock, collect_garbage, serving
from tests.tools import require_tool
from udist_plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Store:
    """A folder, served by udist and by distribution, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "store"
        self.config = folder / "config.yml"
        self._own = folder / "own.yml"

    @contextmanager
    def udist(self, *, tags: bool = True) -> Iterator[str]:
        """The address of a plugin, bridged to loopback."""
        document = {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": str(self.root)}},
            "udist": {"referrers": {"tags": tags}},
        }
        with Plugin(json.dumps(document)) as plugin, bridged(plugin) as address:
            yield address

    @contextmanager
    def stock(self) -> Iterator[Stock]:
        with serving(self.root, self.config, "registry") as stock:
            yield stock

    def collect_untagged(self) -> None:
        collect_garbage(self.root, self.config, "--delete-untagged", program="registry")

    def upgrade(self) -> str:
        """What ``udist upgrade`` prints."""
        document = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(self.root)}}}
        self._own.write_text(json.dumps(document))
        return printed([sys.executable, "-m", "udist_plugin.cli.main", "upgrade", "--config", str(self._own)])


def run(program: str, *words: str, folder: Path | None = None) -> str:
    return printed([require_tool(program), *words], folder)


def printed(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def push(address: str, folder: Path) -> str:
    """Pushes ``demo:v1``, as oras does; its reference by digest."""
    (folder / "file").write_text("content")
    image = f"{address}/demo"
    digest = run(
        "oras",
        "push",
        "--plain-http",
        "--format",
        "go-template={{.digest}}",
        f"{image}:v1",
        "file",
        folder=folder,
    )
    return f"{image}@{digest.strip()}"
