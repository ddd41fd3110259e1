import assert from "node:assert/strict";
import fs, {
  createReadStream,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { ReadStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { ClosedError, spawn } from "../src/index.js";
import type { Plugin } from "../src/index.js";
import { pullArtifact, pushArtifact, Registry } from "../src/oci/index.js";
import { digestOf, pattern, pushBlob, readWithBuffers, uploadURL } from "./helpers.js";

type Done = (error: null, ...results: unknown[]) => void;
type Body = ReadStream & NonNullable<RequestInit["body"]>; // which fetch takes, too

const linux = process.platform === "linux";
const folder = mkdtempSync(join(tmpdir(), "udist-files-"));
const trace = join(folder, "trace.jsonl");
const content = pattern(3_000_001);
const digest = digestOf(content);
const source = join(folder, "source");
const whole = join(folder, "whole");
const headed = join(folder, "headed");
let plugin: Plugin;

before(async () => {
  writeFileSync(source, Buffer.concat([Buffer.alloc(1000), content, Buffer.alloc(1000)]));
  writeFileSync(whole, content);
  writeFileSync(headed, Buffer.concat([Buffer.alloc(1000), content]));
  const storage = { filesystem: { rootdirectory: join(folder, "store") } };
  plugin = await spawn({ config: { version: 0.1, storage }, env: {}, files: true, trace });
  await pushBlob(plugin, "files", content);
});
after(async () => {
  await plugin.close();
  rmSync(folder, { recursive: true });
});

/** How often content was in a file, as the trace says. */
function shared(): number {
  return readFileSync(trace, "utf8").split('"file":{').length - 1;
}

/** Settles once this process has no file of the store's open. */
async function closed(): Promise<void> {
  const end = performance.now() + 5000;
  while (performance.now() < end) {
    const paths = readdirSync("/proc/self/fd").map(linkOf);
    if (!paths.some((path) => path.startsWith(join(folder, "store")))) return;
    await setImmediate();
  }
  assert.fail("a file of the store is still open");
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ""; // of the listing itself
  }
}

test("a blob is read from its file in every way", { skip: !linux && "needs /proc" }, async () => {
  const before = shared();
  const get = (): Promise<Response> => plugin.fetch(`/v2/files/blobs/${digest}`);
  assert.ok(Buffer.from(await (await get()).arrayBuffer()).equals(content));
  assert.equal(await readWithBuffers((await get()).body as ReadableStream<Uint8Array>), digest);
  const part = await plugin.fetch(`/v2/files/blobs/${digest}`, { headers: { range: "bytes=1000000-1999999" } });
  assert.equal(part.status, 206);
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(content.subarray(1_000_000, 2_000_000)));
  assert.equal(shared(), before + 3);
  await closed();
});

test("a body that is given up closes its file", { skip: !linux && "needs /proc" }, async () => {
  const cancelled = await plugin.fetch(`/v2/files/blobs/${digest}`);
  await cancelled.body?.cancel();
  const reason = new Error("enough");
  const aborting = new AbortController();
  const aborted = await plugin.fetch(`/v2/files/blobs/${digest}`, { signal: aborting.signal });
  const reader = (aborted.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  aborting.abort(reason);
  await assert.rejects(async () => reader.read(), reason);
  await closed();
});

test("a body outlives the plugin", { skip: !linux && "needs /proc" }, async () => {
  const storage = { filesystem: { rootdirectory: join(folder, "store") } };
  const mortal = await spawn({ config: { version: 0.1, storage }, env: {}, files: true });
  const response = await mortal.fetch(`/v2/files/blobs/${digest}`);
  await mortal.destroy(new ClosedError("of the test"));
  assert.equal(digestOf(Buffer.from(await response.arrayBuffer())), digest);
});

/** Streams of the content, and whether the plugin opens their files. */
const streams: Record<string, [stream: () => ReadStream, shared: boolean]> = {
  "a part": [() => createReadStream(source, { start: 1000, end: 999 + content.length }), true],
  "a part of a descriptor": [
    () => createReadStream("", { fd: openSync(source, "r"), start: 1000, end: 999 + content.length }),
    true,
  ],
  "the rest of a descriptor": [() => createReadStream("", { fd: openSync(whole, "r") }), false], // wherever it is
  "the rest of a descriptor with a path": [() => createReadStream(headed, { fd: behindTheHead() }), false],
  "what own functions read": [() => createReadStream(join(folder, "virtual"), { fs: elsewhere() }), false],
};

/** A descriptor that has been read from. */
function behindTheHead(): number {
  const fd = openSync(headed, "r");
  readSync(fd, Buffer.alloc(1000));
  return fd;
}

/** Opens one file, and gives other content. */
function elsewhere(): typeof fs {
  let given = 0;
  const read = (_fd: number, buffer: Buffer, offset: number, length: number, _: unknown, done: Done): void => {
    const piece = content.subarray(given, given + length);
    given += piece.copy(buffer, offset);
    done(null, piece.length, buffer);
  };
  return { ...fs, open: (...words: unknown[]) => (words.at(-1) as Done)(null, openSync(headed, "r")), read } as typeof fs;
}

for (const [what, [stream, shares]] of Object.entries(streams)) {
  test(`${what} of a file is pushed`, { skip: !linux && "needs /proc" }, async () => {
    const before = shared();
    const name = what.replaceAll(" ", "-");
    for (const length of [undefined, String(content.length)]) {
      const body = stream() as Body;
      const headers = length === undefined ? {} : { "content-length": length };
      const url = await uploadURL(plugin, name, digest);
      const pushed = await plugin.fetch(url, { method: "PUT", body, headers, duplex: "half" });
      assert.equal(pushed.status, 201, await pushed.text());
      assert.ok(body.destroyed);
    }
    assert.equal(shared() - before, shares ? 2 : 0);
  });
}

test("a file of another length than declared is not shared, and refused", { skip: !linux && "needs /proc" }, async () => {
  const body = createReadStream(source) as Body;
  const headers = { "content-length": String(content.length) };
  const url = await uploadURL(plugin, "wrong", digest);
  await assert.rejects(plugin.fetch(url, { method: "PUT", body, headers, duplex: "half" }), { code: "UDIST_ERR_BODY" });
});

test("files of an artifact are shared both ways", { skip: !linux && "needs /proc" }, async () => {
  const registry = new Registry({ fetch: plugin.fetch });
  const before = shared();
  await pushArtifact(registry, "artifact", [{ path: source, title: "source" }], { tag: "v1" });
  const { files } = await pullArtifact(registry, "artifact", "v1", join(folder, "pulled"));
  assert.ok(readFileSync(files[0]?.path ?? "").equals(readFileSync(source)));
  assert.equal(shared(), before + 2);
});

test("without the option nothing is shared with a command", async () => {
  const own = join(folder, "own.jsonl");
  const sending = await spawn({ config: "version: 0.1\nstorage: {inmemory: {}}\n", env: {}, trace: own });
  await pushBlob(sending, "sent", content);
  await sending.close();
  assert.ok(!readFileSync(own, "utf8").includes('"files"'));
});
