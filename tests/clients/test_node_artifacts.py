"""Artifacts over ``clients/node``: read byte for byte what oras and udist made, and the other way round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.generate_node import NODE
from tests.clients.test_node import installed, run
from tests.remote.loopback import stock_registry
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["installed"]

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

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module", autouse=True)
def built(installed: None) -> None:
    run("npm", "run", "build")


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


def node(tmp_path: Path, *arguments: str) -> str:
    modules = {"index": NODE / "dist" / "index.js", "oci": NODE / "dist" / "oci" / "index.js"}
    program = PROGRAM % {name: json.dumps(path.as_uri()) for name, path in modules.items()}
    config = CONFIG.format(root=tmp_path / "store")
    command = [require_tool("node"), "--input-type=module", "-e", program, config, *arguments]
    return said(*command)


def said(*command: str) -> str:
    environ = {**os.environ, "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin"}
    return subprocess.check_output(command, env=environ, text=True, timeout=60).strip()


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("source")
def test_what_oras_pushed_is_read_byte_for_byte(port: int, tmp_path: Path) -> None:
    command = ["push", "--plain-http", "--no-tty", "--format", "json", f"127.0.0.1:{port}/demo:v1", *FILES]
    pushed = json.loads(said(require_tool("oras"), *command))
    assert node(tmp_path, "pull", "demo", "v1", str(tmp_path / "out")) == pushed["digest"]
    assert content_of(tmp_path / "out") == FILES


@pytest.mark.usefixtures("source")
def test_oras_reads_what_node_pushed(port: int, tmp_path: Path) -> None:
    node(tmp_path, "push", "demo", *FILES)
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
    assert node(tmp_path, "push", "demo", *FILES) == digest
    assert node(tmp_path, "pull", "demo", "v2", str(tmp_path / "out")) == digest
    assert content_of(tmp_path / "out") == FILES
