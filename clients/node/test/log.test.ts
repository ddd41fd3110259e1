import assert from "node:assert/strict";
import { test } from "node:test";

import { program } from "./program.js";

/** Names a key that is unknown, which is a warning, and one that has no effect, which is information. */
const CONFIG = JSON.stringify("version: 0.1\nstorage: {inmemory: {}}\nnonsense: 1\nhttp: {addr: ':5000'}\n");

test("warnings of the plugin are shown, and only those", async () => {
  for (const formatter of ["text", "json", "logstash"]) {
    const text = `const plugin = await spawn({ config: ${CONFIG} + "log: {formatter: ${formatter}}", env: {} });
await plugin.close();`;
    const { stdout, stderr } = await program(text);
    assert.match(stderr, /^udist-plugin: .*nonsense.*unknown key.*\n$/, formatter);
    assert.equal(stdout, "");
  }
});

test("whoever takes the log gets all of it, and nothing else is shown", async () => {
  const text = `const lines = [];
const plugin = await spawn({ config: ${CONFIG}, env: {}, log: (line) => lines.push(line) });
await plugin.close();
console.log(lines.filter((line) => /nonsense|http.addr/.test(line)).length);`;
  assert.deepEqual(await program(text), { stdout: "2\n", stderr: "" });
});
