import assert from "node:assert/strict";
import { test } from "node:test";

import { Lines } from "../src/child/lines.js";
import { ClosedError, PluginNotFoundError, spawn } from "../src/index.js";
import { inMemory, misbehaving } from "./helpers.js";

test("a signal that comes at any time ends the wait for a plugin", async (t) => {
  for (const delay of [undefined, 0, 20]) {
    await t.test(`after ${delay} ms`, async () => {
      const controller = new AbortController();
      const spawned = spawn({ command: misbehaving("hang"), signal: controller.signal });
      const reason = new Error("not needed any more");
      if (delay === undefined) controller.abort(reason);
      else setTimeout(() => controller.abort(reason), delay);
      await assert.rejects(spawned, reason);
    });
  }
});

test("a reason that is nothing is a reason", async () => {
  const signal = AbortSignal.abort(null);
  await assert.rejects(spawn({ signal }), (error) => error === null);
  const late = new AbortController();
  const spawned = spawn({ command: misbehaving("hang"), signal: late.signal });
  late.abort(null);
  await assert.rejects(spawned, (error) => error === null);
  const plugin = await inMemory();
  await plugin.destroy(null);
  await assert.rejects(plugin.fetch("/v2/"), ClosedError);
});

test("close and destroy at once", async () => {
  const closing = await inMemory();
  await Promise.all([closing.close(), closing.destroy()]);
  const destroyed = await inMemory();
  void destroyed.destroy();
  await destroyed.close();
  assert.deepEqual(await destroyed.exited, { code: null, signal: "SIGKILL" });
});

test("what the platform does not spawn is no plugin", async () => {
  for (const program of ["/etc/passwd/udist-plugin", "", "a\0b"]) {
    await assert.rejects(spawn({ command: [program] }), PluginNotFoundError);
  }
});

test("standard error comes in lines, of which none fills the memory", () => {
  const lines: string[] = [];
  const parts = new Lines((line) => lines.push(line));
  for (const text of ["one\r\ntw", "o\n\n", "\u00e4".repeat(3000), "\u00e4".repeat(1 << 20), "\nla", "st"]) {
    for (const byte of text.length < 10 ? Buffer.from(text) : [Buffer.from(text)]) {
      parts.write(typeof byte === "number" ? Buffer.of(byte) : byte);
    }
  }
  parts.end();
  assert.deepEqual(lines, ["one", "two", "", "\u00e4".repeat(4096), "last"]);
});

test("a time that no timer takes is no limit", async () => {
  for (const time of [Infinity, 2 ** 31]) {
    const plugin = await spawn({ command: misbehaving("mute"), startTimeout: time, closeTimeout: time, slotTimeout: time });
    await plugin.close();
    assert.deepEqual(await plugin.exited, { code: 0, signal: null });
  }
});
