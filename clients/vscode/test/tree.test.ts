import assert from "node:assert/strict";
import { before, test } from "node:test";

import { spawn } from "udist-plugin";
import { INDEX, Registry } from "udist-plugin/oci";
import type { ImageIndex } from "udist-plugin/oci";

import { documentOf, Tree } from "../src/model/tree.js";
import type { Node } from "../src/model/tree.js";
import { filled } from "./filled.js";
import { temporary, watched } from "./stores.js";
import type { Watched } from "./stores.js";

const folder = temporary();
before(() => filled(folder));

function treeOf({ store }: Watched, pageSize = 100, timeout = 60_000): [Tree, unknown[]] {
  const errors: unknown[] = [];
  const failed = (error: unknown) => {
    errors.push(error);
    return String(error);
  };
  return [new Tree([store], { pageSize, timeout, failed }), errors];
}

async function descend(tree: Tree, ...path: ((node: Node) => boolean)[]): Promise<Node[]> {
  let nodes = await tree.children();
  for (const matches of path) {
    const node = nodes.find(matches);
    assert.ok(node, `none of ${nodes.map(({ id }) => JSON.stringify(id)).join(", ")}`);
    nodes = await tree.children(node);
  }
  return nodes;
}

const stored = (node: Node): boolean => node.kind === "store";
const named = (name: string) => (node: Node) => node.kind === "repository" && node.name === name;
const labelled = (label: string) => (node: Node) => node.kind === "manifest" && node.label === label;
const referring = (node: Node): boolean => node.kind === "referrers";

test("an index has platforms, whose manifests have a configuration and layers", async () => {
  const [tree, errors] = treeOf(watched(folder));
  const parts = await descend(tree, stored, named("demo/image"), labelled("latest"), labelled("linux/amd64"));
  assert.deepEqual(errors, []);
  assert.deepEqual(
    parts.map(({ kind }) => kind),
    ["config", "layer", "referrers"],
  );
  const [config, layer] = parts.map(documentOf);
  assert.match(config ?? "", /^\/local\/demo\/image\/blobs\/sha256:[0-9a-f]{64}\/config\.json$/);
  assert.match(layer ?? "", /^\/local\/demo\/image\/layers\/sha256:[0-9a-f]{64}\/contents\.txt$/);
});

test("what refers to a tag's manifest is below it", async () => {
  const [tree] = treeOf(watched(folder));
  const referrers = await descend(tree, stored, named("demo/image"), labelled("latest"), referring);
  assert.deepEqual(
    referrers.map((node) => node.kind === "manifest" && node.label),
    ["application/vnd.example.sbom"],
  );
});

test("the file of an artifact is its document, under its own name", async () => {
  const [tree] = treeOf(watched(folder));
  const [file] = (await descend(tree, stored, named("demo/notes"), labelled("v1"))).map(documentOf);
  assert.match(file ?? "", /\/notes\.txt$/);
});

test("a page is loaded when it is asked for, and no more than that", async () => {
  const many = temporary();
  const plugin = await spawn({ config: { version: "0.1", storage: { filesystem: { rootdirectory: many } } } });
  const registry = new Registry({ fetch: plugin.fetch });
  const manifest: ImageIndex = { schemaVersion: 2, mediaType: INDEX, manifests: [] };
  const tags = Array.from({ length: 25 }, (_, i) => `t${String(i).padStart(2, "0")}`);
  for (const tag of tags) await registry.pushManifest("many", manifest, { tag });
  await plugin.close();

  const { asked, ...rest } = watched(many);
  const [tree] = treeOf({ asked, ...rest }, 10);
  const shown = await descend(tree, stored, named("many"));
  assert.equal(shown.length, 11);
  assert.deepEqual(asked, ["/v2/_catalog?n=10", "/v2/many/tags/list?n=10"]);
  const more = shown.at(-1);
  assert.ok(more?.kind === "more");
  await tree.more(more);
  assert.equal((await tree.children(more.parent)).length, 21);
  await tree.more(more);
  const all = await tree.children(more.parent);
  assert.deepEqual(
    all.map((node) => node.kind === "manifest" && node.label),
    tags,
  );
  assert.deepEqual(asked.slice(2), ["/v2/many/tags/list?n=10&last=t09", "/v2/many/tags/list?n=10&last=t19"]);
  tree.forget(more.parent);
  assert.equal((await tree.children(more.parent)).length, 11);
});

test("a store that does not start is an error in the tree, and a refresh tries again", async () => {
  const [tree, errors] = treeOf(watched(folder, { command: ["/nowhere/udist-plugin"] }));
  for (const count of [1, 2]) {
    const [node] = await descend(tree, stored);
    assert.equal(node?.kind, "failure");
    assert.equal(errors.length, count);
  }
});

test("a store that never answers is an error in the tree once its time is over", async () => {
  const [tree, errors] = treeOf(watched(folder, { command: ["sleep", "600"] }), 10, 300);
  const [node] = await descend(tree, stored);
  assert.equal(node?.kind, "failure");
  assert.equal((errors[0] as Error).name, "TimeoutError");
});
