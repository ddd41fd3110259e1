"""The package of ``clients/node``: linted, typed, tested, and packed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.clients.generate_node import GENERATED, NODE, REPOSITORY, generate
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT: Final = 600  # seconds
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

pytestmark = pytest.mark.timeout(TIMEOUT)


def run(*command: str, cwd: Path = NODE) -> str:
    done = subprocess.run(
        [require_tool(command[0]), *command[1:]],
        cwd=cwd,
        env={**os.environ, "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """What ``package-lock.json`` names, and nothing else."""
    require_tool("node")
    run("npm", "ci")


def test_lint_and_types() -> None:
    run("npm", "run", "check")


def test_suite() -> None:
    said = run("npm", "test")
    assert "fail 0" in said


def test_generated_code_is_current(tmp_path: Path) -> None:
    assert GENERATED.read_bytes() == generate(tmp_path), "run: python -m tests.clients.generate_node"


def test_the_packed_package(tmp_path: Path) -> None:
    """In an empty project it is imported, required, documented, and compiled against by strict TypeScript."""
    packed = json.loads(run("npm", "pack", "--silent", "--json", "--pack-destination", str(tmp_path)))
    [tarball] = packed if isinstance(packed, list) else packed.values()
    names = {file["path"].split("/")[0] for file in tarball["files"]}
    assert names == {"LICENSE", "README.md", "dist", "package.json", "require"}
    project = tmp_path / "project"
    project.mkdir()
    (project / "package.json").write_text('{"private": true}')
    run("npm", "install", "--no-audit", "--no-fund", str(tmp_path / tarball["filename"]), cwd=project)
    names = {path.name for path in (project / "node_modules").iterdir() if not path.name.startswith(".")}
    assert names == {"@bufbuild", "udist-plugin"}
    require = 'const { spawn } = require("udist-plugin"); const { Registry } = require("udist-plugin/oci");\n'
    imports = 'import { spawn } from "udist-plugin"; import { Registry } from "udist-plugin/oci";\n'
    for name, preamble in {"required.cjs": require, "imported.mjs": imports}.items():
        (project / name).write_text(preamble + PROGRAM)
        assert run("node", name, cwd=project) == "200 {} function\n"
    for document in (REPOSITORY / "README.md", NODE / "README.md"):
        [block] = re.findall(r"^```js\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
        (project / "documented.mjs").write_text(block)
        assert run("node", "documented.mjs", cwd=project).startswith("200\n")
        assert (project / "pulled" / "package.json").exists()
        shutil.rmtree(project / "pulled")
    for suffix in ("ts", "cts", "mts"):
        (project / f"consumer.{suffix}").write_text(CONSUMER)
    for package in ("@types", "undici-types", "undici", "typescript"):
        (project / "node_modules" / package).symlink_to(NODE / "node_modules" / package)
    options = ["--strict", "--noEmit", "--target", "es2023", "--lib", "es2023,esnext.disposable"]
    consumers = ["consumer.ts", "consumer.cts", "consumer.mts"]
    for compiler in COMPILERS:
        words = [*options, *compiler.split(), *consumers]
        run("node", "node_modules/typescript/bin/tsc", *words, cwd=project)
