import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { socketPair } from "../src/child/socket_pair.js";
import { digestOf, inMemory, pattern, pushBlob } from "./helpers.js";

/** Runs `action` while temporary files belong into `folder`. */
async function within<T>(folder: string, action: () => Promise<T>): Promise<T> {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    return await action();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

test("a pair is connected, and leaves no file behind", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "udist-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const pair = await within(folder, socketPair);
  assert.ok(pair);
  assert.deepEqual(readdirSync(folder), []);
  const { ours, theirs } = pair;
  theirs.end("hello");
  const [chunk] = (await once(ours, "data")) as [Buffer];
  assert.equal(chunk.toString(), "hello");
  await once(ours, "end");
  ours.destroy();
});

test("where there can be no pair, a pipe serves", async () => {
  const nowhere = join(tmpdir(), "udist-test-nowhere");
  assert.equal(await within(nowhere, socketPair), undefined);
  const plugin = await within(nowhere, inMemory);
  const content = pattern(3 << 20);
  const digest = await pushBlob(plugin, "some/where", content);
  const pulled = await plugin.fetch(`/v2/some/where/blobs/${digest}`);
  assert.equal(digestOf(new Uint8Array(await pulled.arrayBuffer())), digest);
  await plugin.close();
});
