import assert from "node:assert/strict";
import { test } from "node:test";

import { Log } from "../src/log.js";
import { program } from "./program.js";

/** Those that matter for where and how a warning is shown. */
const LOGS = ["{level: info}", "{level: error}", "{formatter: json}", "{formatter: logstash}"];

/**
 * Names a key that is unknown, which is a warning that the formats of the log write in different ways, and one that
 * has no effect, which is information.
 */
function configured(log: string): string {
  const key = String.raw`"\"nonsense\"\\x \xE9\U0001F600\a\x85"`;
  return JSON.stringify(`version: 0.1\nstorage: inmemory\n${key}: 1\nhttp: {addr: ':5000'}\nlog: ${log}\n`);
}

const WARNING = `"nonsense"\\x é😀\x07\x85 (the caller's configuration:3): unknown key, ignored`;
const SHOWN = `udist-plugin: ${WARNING.replace(/[\x07\x85]/g, "\uFFFD")}`;

test("warnings of the plugin are shown once, whatever its log leaves out, and nothing else is", async () => {
  for (const log of LOGS) {
    const text = `const plugin = await spawn({ config: ${configured(log)}, env: {} });
await plugin.close();`;
    const { stdout, stderr } = await program(text);
    assert.match(stderr, /^udist-plugin: .*nonsense.*unknown key.*\n$/, log);
    assert.equal(stdout, "");
  }
});

test("whoever takes the log gets all of it and each warning once, and nothing else is shown", async () => {
  for (const log of LOGS) {
    const text = `const lines = [];
const env = { ["REGISTRY_" + "X".repeat(5000)]: "1" }; // longer than a line of the log
const plugin = await spawn({ config: ${configured(log)}, env, log: (line) => lines.push(line) });
await plugin.close();
console.log(lines.map((line) => /unknown key|_XXX|http.addr/.exec(line)?.[0]).filter(Boolean).sort().join());`;
    const shown = log === "{level: error}" ? "_XXX,unknown key\n" : "_XXX,http.addr,unknown key\n";
    assert.deepEqual(await program(text), { stdout: shown, stderr: "" }, log);
  }
});

test("a warning that the log repeats before or after the settings are read is passed on once", () => {
  const written = String.raw`\"nonsense\"\\x é😀\x07\x85 (the caller's configuration:3): unknown key, ignored`;
  const line = `time="2026-01-02T03:04:05Z" level=warning msg="${written}"`;
  const told = (before: string[], after: string[]): string[] => {
    const received: string[] = [];
    const log = new Log((text) => received.push(text));
    for (const text of before) log.line(text);
    log.warn([WARNING], before.join("\n"));
    for (const text of after) log.line(text);
    return received;
  };
  assert.deepEqual(told([], []), [SHOWN]);
  assert.deepEqual(told([], [line]), [SHOWN]);
  assert.deepEqual(told([line], []), [line]);
  assert.deepEqual(told([], [line, line]), [SHOWN, line]);
});
