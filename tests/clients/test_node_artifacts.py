"""Artifacts over ``clients/node``: read byte for byte what oras and udist made, and the other way round."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.node_program import node, said
from tests.remote.loopback import stock_registry
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES: Final = {"notes.txt": b"to be kept\n", "data.bin": bytes(range(256)) * 9000, "empty": b""}
CONFIG: Final = "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\n"
FILES_PROGRAM: Final = """\
import { spawn } from %(index)s;
import { pullArtifact, pushArtifact, Registry } from %(oci)s;

const [config, verb, name, ...words] = process.argv.slice(1);
const plugin = await spawn({ config, env: {} });
const registry = new Registry({ fetch: plugin.fetch });
if (verb === "push") console.log((await pushArtifact(registry, name, words, { tag: "v1" })).digest);
else console.log((await pullArtifact(registry, name, words[0], words[1])).manifest.descriptor.digest);
await plugin.close();
"""
CHART_PROGRAM: Final = """\
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { spawn } from %(index)s;
import { Registry } from %(oci)s;

const [config, name, reference, folder] = process.argv.slice(1);
const plugin = await spawn({ config, env: {} });
const registry = new Registry({ fetch: plugin.fetch });
const { descriptor, manifest } = await registry.getManifest(name, reference);
for (const [i, blob] of [manifest.config, ...manifest.layers].entries())
  await pipeline(await registry.openBlob(name, blob), createWriteStream(`${folder}/${i}`));
console.log(JSON.stringify([descriptor.digest, manifest.config.mediaType, manifest.layers[0].mediaType]));
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
    return node(FILES_PROGRAM, CONFIG.format(root=tmp_path / "store"), *arguments)


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
def test_what_helm_pushed_is_read_byte_for_byte(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"HELM_{name}_HOME", str(tmp_path / "helm"))
    helm = require_tool("helm")
    said(helm, "create", "demo")
    said(helm, "package", "demo")
    [chart] = Path.cwd().glob("demo-*.tgz")
    told = said(helm, "push", "--plain-http", chart.name, f"oci://127.0.0.1:{port}/charts")
    out = tmp_path / "out"
    out.mkdir()
    config = CONFIG.format(root=tmp_path / "store")
    digest, *media_types = json.loads(node(CHART_PROGRAM, config, "charts/demo", "0.1.0", str(out)))
    assert f"Digest: {digest}" in told
    helm_types = ["config.v1+json", "chart.content.v1.tar+gzip"]
    assert media_types == [f"application/vnd.cncf.helm.{name}" for name in helm_types]
    assert (out / "1").read_bytes() == chart.read_bytes()
    assert json.loads((out / "0").read_bytes())["name"] == "demo"


@pytest.mark.usefixtures("source")
def test_the_digest_is_that_of_udist_push(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text(CONFIG.format(root=tmp_path / "store"))
    udist = [sys.executable, "-c", "from udist_plugin.cli.main import main; main()"]
    digest = said(*udist, "push", "--config", str(config), "demo:v2", *FILES)
    assert artifacts(tmp_path, "push", "demo", *FILES) == digest
    assert artifacts(tmp_path, "pull", "demo", "v2", str(tmp_path / "out")) == digest
    assert content_of(tmp_path / "out") == FILES
