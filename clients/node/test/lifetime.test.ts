import assert from "node:assert/strict";
import { test } from "node:test";

import { misbehaving } from "./helpers.js";
import { program } from "./program.js";

test("a process ends by itself beside an idle plugin", async () => {
  const text = `const plugin = await spawn({ config });
console.log((await plugin.fetch("/v2/")).status);`;
  assert.equal((await program(text)).stdout, "200\n");
});

test("a process ends by itself once its plugins are closed", async () => {
  const text = `const plugin = await spawn({ config });
const fetched = plugin.fetch("/v2/");
await plugin.close();
console.log((await fetched).status, (await plugin.exited).code, process.getActiveResourcesInfo());`;
  // Its own output, and what is being closed: the handle of the plugin's process, the end of a pipe.
  assert.match((await program(text)).stdout, /^200 0 \[( '(TTY|Pipe|Process|SimpleShutdown)Wrap',?)* ?\]\n$/);
});

test("a process stays until a plugin is destroyed that had not answered", async () => {
  const text = `const plugin = await spawn({ command: ${JSON.stringify(misbehaving("mute"))} });
const fetched = plugin.fetch("/v2/").catch((error) => console.log(error.code));
await new Promise(setImmediate); // it waits by then
await plugin.destroy();
await fetched;
console.log((await plugin.exited).signal);`;
  assert.equal((await program(text)).stdout, "UDIST_ERR_CLOSED\nSIGKILL\n");
});

test("a rejected fetch that nobody awaits later is the only one", async () => {
  const text = `const plugin = await spawn({ config });
const body = new ReadableStream({ pull() { throw new Error("no"); } });
await plugin.fetch("/v2/a/blobs/uploads/", { method: "POST", body, duplex: "half" }).catch((error) => console.log(error.code));
await plugin.destroy();
await plugin.fetch("/v2/").catch((error) => console.log(error.code));`;
  assert.equal((await program(text)).stdout, "UDIST_ERR_BODY\nUDIST_ERR_CLOSED\n");
});

test("await using closes the plugin", async () => {
  const text = `const plugin = await spawn({ config });
await plugin[Symbol.asyncDispose]();
console.log((await plugin.exited).code);`;
  assert.equal((await program(text)).stdout, "0\n");
});

test("a process ends by itself beside a response that it does not read", async () => {
  const text = `const plugin = await spawn({ config });
const { headers } = await plugin.fetch("/v2/a/blobs/uploads/", { method: "POST" });
const sent = await plugin.fetch(headers.get("location"), { method: "PATCH", body: new Uint8Array(8 << 20) });
const digest = "sha256:2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74";
const { status } = await plugin.fetch(sent.headers.get("location") + "?digest=" + digest, { method: "PUT" });
console.log(status, (await plugin.fetch("/v2/a/blobs/" + digest)).status);`;
  assert.equal((await program(text)).stdout, "201 200\n");
});

test("where there are no descriptors left, that is a named error", async () => {
  const text = `import { closeSync, openSync } from "node:fs";
const held = [];
try { for (;;) held.push(openSync("/dev/null")); } catch { /* no more */ }
const codes = [];
const attempt = () => spawn({ config }).then((plugin) => plugin.close(), (error) => codes.push(error.code));
for (const free of [0, 3, 3]) { // for nothing, for a pair of sockets' first end, for the pair
  for (const descriptor of held.splice(0, free)) closeSync(descriptor);
  await attempt();
}
for (const descriptor of held) closeSync(descriptor);
await attempt();
console.log(...codes);`;
  assert.equal((await program(text, "ulimit -n 48;")).stdout, "UDIST_ERR_NOT_FOUND UDIST_ERR_NOT_FOUND UDIST_ERR_NOT_FOUND\n");
});
