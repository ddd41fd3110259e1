import assert from "node:assert/strict";
import { test } from "node:test";

import { spawn } from "../src/index.js";
import { IMPLEMENTATION, VERSION } from "../src/version.js";
import { encode } from "../src/wire/codec.js";

/** What is said of a plugin that calls itself `implementation`. */
async function said(implementation: string): Promise<string[]> {
  const settings = encode({ body: { case: "settings", value: { versions: [1], maxStreams: 64, implementation } } });
  const program = 'process.stdout.write(Buffer.from(process.argv[1], "hex")); process.stdin.resume()';
  const lines: string[] = [];
  const command = [process.execPath, "-e", program, Buffer.from(settings).toString("hex")];
  const plugin = await spawn({ command, log: (line) => lines.push(line) });
  await plugin.close();
  return lines;
}

test("a plugin of another release is told once", async () => {
  const both = `the plugin is udist-python/99.0.0, and this client ${IMPLEMENTATION}`;
  assert.deepEqual(await said("udist-python/99.0.0"), [`udist: ${both}: use a plugin and a client of the same release`]);
});

test("of one of the same release, or of others, nothing is said", async () => {
  for (const name of [`udist-python/${VERSION}`, "", "another/99.0.0", "udist-python/\u001b[2J"]) {
    assert.deepEqual(await said(name), []);
  }
});
