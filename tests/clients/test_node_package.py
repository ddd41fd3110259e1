"""The package of ``clients/node`` as it is packed: loaded, documented, and compiled against."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.generate_node import NODE, REPOSITORY
from tests.clients.node_program import TIMEOUT, building, run

if TYPE_CHECKING:
    from pathlib import Path

CONSUMER: Final = """\
import { spawn, UdistError, type Plugin, type SpawnOptions } from "udist-plugin";
import { Registry, isIndex, type Descriptor } from "udist-plugin/oci";
import { PluginDispatcher } from "udist-plugin/undici";

export async function use(options: SpawnOptions): Promise<Descriptor | undefined> {
  await using plugin: Plugin = await spawn(options);
  const response: Response = await plugin.fetch("/v2/", { signal: AbortSignal.timeout(1000) });
  const { code, signal } = await plugin.exited;
  const registry = new Registry({ fetch: plugin.fetch });
  const { manifest } = await registry.getManifest("a", "v1");
  new PluginDispatcher(plugin);
  const blob = await registry.openBlob("a", { digest: "sha256:a" });
  for await (const piece of blob) piece.byteLength satisfies number;
  await registry.pushBlob("a", await new Response(blob).text(), blob);
  // @ts-expect-error: there is no such option
  await spawn({ nonsense: true });
  const error = new UdistError("UDIST_ERR_CLOSED", `${response.status} ${code ?? 0} ${signal ?? ""}`);
  return error.retryable || isIndex(manifest) ? undefined : manifest.config;
}
"""
COMPILERS: Final = (
    "--module nodenext",
    "--module nodenext --lib es2023,esnext.disposable,dom",
    "--module preserve",
    "--module node16",
    "--module commonjs --moduleResolution node10",
)
"""How a consumer's compiler may find the package, load it, and see the platform."""
PROGRAM: Final = """\
(async () => {
  const plugin = await spawn({ config: "version: 0.1\\nstorage: {inmemory: {}}" });
  const response = await plugin.fetch("/v2/");
  console.log(response.status, await response.text(), typeof Registry);
  await plugin.close();
})();
"""
LOADED: Final = {
    "required.cjs": """\
const { spawn } = require("udist-plugin");
const { Registry } = require("udist-plugin/oci");
""",
    "imported.mjs": """\
import { spawn } from "udist-plugin";
import { Registry } from "udist-plugin/oci";
""",
}
ONE: Final = """\
const required = require("udist-plugin");
import("udist-plugin").then((imported) => console.log(required.UdistError === imported.UdistError));
"""
JEST: Final = """\
const { writeFileSync } = require("node:fs");
const { spawn, ClosedError, UdistError } = require("udist-plugin");
const { pullArtifact, pushArtifact, Registry, RegistryError } = require("udist-plugin/oci");

let plugin;
beforeAll(async () => (plugin = await spawn({ config: "version: 0.1\\nstorage: {inmemory: {}}" })));
afterAll(() => plugin.close());

test("responses and errors are those of the tests' own world", async () => {
  const response = await plugin.fetch("/v2/");
  expect(response).toBeInstanceOf(Response);
  expect(await response.json()).toEqual({});
  await expect(spawn({ command: ["/nowhere"] })).rejects.toMatchObject({ code: "UDIST_ERR_NOT_FOUND" });
  const aborted = plugin.fetch("/v2/", { signal: AbortSignal.abort() });
  await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
  const other = await spawn({ config: "version: 0.1\\nstorage: {inmemory: {}}" });
  await other.close();
  await expect(other.fetch("/v2/")).rejects.toBeInstanceOf(ClosedError);
  expect(Object.getPrototypeOf(ClosedError.prototype)).toBeInstanceOf(UdistError);
});

test("files go there and back", async () => {
  const registry = new Registry({ fetch: plugin.fetch });
  writeFileSync("pushed.bin", Buffer.alloc(3_000_000, "content"));
  await pushArtifact(registry, "demo", ["pushed.bin"], { tag: "v1" });
  const { files } = await pullArtifact(registry, "demo", "v1", "out");
  expect(files.map(({ descriptor }) => descriptor.size)).toEqual([3_000_000]);
  await expect(registry.getManifest("demo", "v2")).rejects.toBeInstanceOf(RegistryError);
});
"""

pytestmark = [pytest.mark.timeout(TIMEOUT), pytest.mark.usefixtures("installed")]


@pytest.fixture(scope="module")
def project(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty project that the packed package was installed in."""
    folder = tmp_path_factory.mktemp("packed")
    with building():
        packed = json.loads(run("npm", "pack", "--silent", "--json", "--pack-destination", str(folder)))
    [tarball] = packed if isinstance(packed, list) else packed.values()
    names = {file["path"].split("/")[0] for file in tarball["files"]}
    assert names == {"LICENSE", "README.md", "dist", "package.json", "require"}
    project = folder / "project"
    project.mkdir()
    (project / "package.json").write_text('{"private": true}')
    run("npm", "install", "--no-audit", "--no-fund", str(folder / tarball["filename"]), cwd=project)
    names = {path.name for path in (project / "node_modules").iterdir() if not path.name.startswith(".")}
    assert names == {"@bufbuild", "udist-plugin"}
    return project


@pytest.mark.parametrize("name", LOADED)
def test_loading(project: Path, name: str) -> None:
    (project / name).write_text(LOADED[name] + PROGRAM)
    assert run("node", name, cwd=project) == "200 {} function\n"


def test_what_is_required_is_what_is_imported(project: Path) -> None:
    (project / "one.cjs").write_text(ONE)
    assert run("node", "one.cjs", cwd=project) == "true\n"


def test_a_host_that_requires_no_modules(project: Path) -> None:
    (project / "host.cjs").write_text(LOADED["required.cjs"] + PROGRAM)
    assert run("node", "--no-experimental-require-module", "host.cjs", cwd=project) == "200 {} function\n"


def test_jest(project: Path) -> None:
    """It requires, and each of its test files has globals of its own."""
    (project / "package.test.js").write_text(JEST)
    assert "2 passed, 2 total" in run("jest", cwd=project)


@pytest.mark.parametrize("folder", [REPOSITORY, NODE], ids=["README", "clients/node"])
def test_documented_programs(project: Path, folder: Path) -> None:
    [block] = re.findall(r"^```js\n(.*?)^```", (folder / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    (project / "documented.mjs").write_text(block)
    assert run("node", "documented.mjs", cwd=project).startswith("200\n")
    assert (project / "pulled" / "package.json").exists()
    shutil.rmtree(project / "pulled")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_types(project: Path, compiler: str) -> None:
    consumers = [f"consumer.{suffix}" for suffix in ("ts", "cts", "mts")]
    for name in consumers:
        (project / name).write_text(CONSUMER)
    for package in ("@types", "undici-types", "undici", "typescript"):
        link = project / "node_modules" / package
        if not link.exists():
            link.symlink_to(NODE / "node_modules" / package)
    options = ["--strict", "--noEmit", "--target", "es2023", "--lib", "es2023,esnext.disposable"]
    run("node", "node_modules/typescript/bin/tsc", *options, *compiler.split(), *consumers, cwd=project)
