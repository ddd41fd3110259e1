"""Artifacts over ``clients/node``: read byte for byte what oras and udist made, and the other way round."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.node_program import built, installed, node, said
from tests.remote.loopback import stock_registry
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["built", "installed"]

FILES: Final = {"notes.txt": b"to be kept\n", "data.bin": bytes(range(256)) * 9000, "empty": b""}
CONFIG: Final = "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\n"
PROGRAM: Final = """\
import { spawn } from %(index)s;
import { pullFiles, pushFiles, Registry } from %(oci)s;

const [config, verb, name, ...words] = process.argv.slice(1);
const plugin = await spawn({ config, env: {} });
const registry = new Registry({ fetch: plugin.fetch });
if (verb === "push") console.log((await pushFiles(registry, name, words, { tag: "v1" })).digest);
else console.log((await pullFiles(registry, name, words[0], words[1])).manifest.descriptor.digest);
await plugin.close();
"""

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("built")]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with stock_registry(tmp_path / "store") as port:
        yield port


def artifacts(tmp_path: Path, *arguments: str) -> str:
    return node(PROGRAM, CONFIG.format(root=tmp_path / "store"), *arguments)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("source")
def test_what_oras_pushed_is_read_byte_for_byte(port: int, tmp_path: Path) -> None:
    command = ["push", "--plain-http", "--no-tty", "--format", "json", f"127.0.0.1:{port}/demo:v1", *FILES]
    pushed = json.loads(said(require_tool("oras"), *command))
    assert artifacts(tmp_path, "pull", "demo", "v1", str(tmp_path / "out")) == pushed["digest"]
    assert content_of(tmp_path / "out") == FILES


@pytest.mark.usefixtures("source")
def test_oras_reads_what_node_pushed(port: int, tmp_path: Path) -> None:
    artifacts(tmp_path, "push", "demo", *FILES)
    said(
        require_tool("oras"), "pull", "--plain-http", "-o", str(tmp_path / "out"), f"127.0.0.1:{port}/demo:v1"
    )
    assert content_of(tmp_path / "out") == FILES


@pytest.mark.usefixtures("source")
def test_the_digest_is_that_of_udist_push(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(CONFIG.format(root=tmp_path / "store"))
    udist = [sys.executable, "-c", "from udist_plugin.cli.main import main; main()"]
    digest = said(*udist, "push", "--config", str(config), "demo:v2", *FILES)
    assert artifacts(tmp_path, "push", "demo", *FILES) == digest
    assert artifacts(tmp_path, "pull", "demo", "v2", str(tmp_path / "out")) == digest
    assert content_of(tmp_path / "out") == FILES
