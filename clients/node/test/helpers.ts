import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

import { defaultCommand } from "../src/child/command.js";
import { spawn } from "../src/index.js";
import type { Plugin, SpawnOptions } from "../src/index.js";

export const IN_MEMORY = "version: 0.1\nstorage: {inmemory: {}}\n";

export function inMemory(options: SpawnOptions = {}): Promise<Plugin> {
  return spawn({ config: IN_MEMORY, env: {}, ...options });
}

/** The Python that runs the plugin of these tests. */
export function python(): string {
  return defaultCommand().words[0];
}

export function misbehaving(kind: string): string[] {
  return [python(), "-m", "udist_plugin.testing.misbehaving", kind];
}

/** A plugin that redirects wherever a request's query says. */
export function redirecting(options: SpawnOptions = {}): Promise<Plugin> {
  const application = fileURLToPath(new URL("../../test/redirecting.py", import.meta.url)); // from build/test
  return spawn({ command: [python(), application], ...options });
}

export function output(program: string, ...words: string[]): string {
  return execFileSync(program, words, { encoding: "utf8" });
}

export function digestOf(content: Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Bytes of which no two stretches are the same. */
export function pattern(size: number): Buffer {
  const content = Buffer.alloc(size);
  for (let i = 0; i + 4 <= size; i += 4) content.writeUInt32BE(i, i);
  return content;
}

/** Starts an upload in `name`, and returns where its content goes under `digest`. */
export async function uploadURL(plugin: Plugin, name: string, digest: string): Promise<URL> {
  const begun = await plugin.fetch(`/v2/${name}/blobs/uploads/`, { method: "POST" });
  const url = new URL(begun.headers.get("location") ?? "", begun.url);
  url.searchParams.set("digest", digest);
  return url;
}

export async function pushBlob(plugin: Plugin, name: string, content: Uint8Array): Promise<string> {
  const digest = digestOf(content);
  const body = content as Uint8Array<ArrayBuffer>;
  const answer = await plugin.fetch(await uploadURL(plugin, name, digest), { method: "PUT", body });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  return digest;
}

/** The digest of a body, read with buffers of the reader's own. */
export async function readWithBuffers(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader({ mode: "byob" });
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(10_000));
    if (done) return digestOf(Buffer.concat(pieces));
    pieces.push(value);
  }
}
