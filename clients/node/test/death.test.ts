import assert from "node:assert/strict";
import { ChildProcess, execFileSync } from "node:child_process";
import { test } from "node:test";
import type { TestContext } from "node:test";

import { Child } from "../src/child/child.js";
import { socketPair } from "../src/child/socket_pair.js";
import { PluginDiedError, spawn } from "../src/index.js";
import type { Plugin } from "../src/index.js";
import { misbehaving } from "./helpers.js";

/** Milliseconds: far more than this takes, and less than any wait for a grandchild would. */
const SOON = 900;

/** A command that starts a grandchild, which inherits its output, and then runs `words`. */
function leaving(grandchild: string, ...words: string[]): [string, ...string[]] {
  return ["sh", "-c", `${grandchild} & echo "grandchild $!" >&2; exec "$@"`, "sh", ...words];
}

/** A log that ends the grandchild it reads of after the test. */
function grandchildren(t: TestContext): (line: string) => void {
  return (line) => {
    const pid = Number(/^grandchild (\d+)$/.exec(line)?.[1]);
    if (pid) t.after(() => process.kill(pid));
  };
}

/** A misbehaving plugin whose output a grandchild holds open. */
function beside(t: TestContext, kind: string): Promise<Plugin> {
  return spawn({ command: leaving("sleep 60", ...misbehaving(kind)), log: grandchildren(t) });
}

/** Waits for what must not take long. */
async function soon(promise: Promise<unknown>): Promise<void> {
  const begun = performance.now();
  await promise;
  const took = performance.now() - begun;
  assert.ok(took < SOON, `${took} ms`);
}

/** Blocks the event loop until the child is dead, so that nothing here has noticed yet. */
function awaitDeath({ pid }: Child): void {
  while (!execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z"));
}

test("a plugin's death is noticed at once though a grandchild holds its output", async (t) => {
  const plugin = await beside(t, "mute");
  const fetched = assert.rejects(plugin.fetch("/v2/"), { code: "UDIST_ERR_DIED", signal: "SIGKILL" });
  process.kill(plugin.pid, "SIGKILL");
  await soon(Promise.all([fetched, plugin.exited]));
  await soon(plugin.close());
});

test("a failed start is noticed at once though a grandchild holds its output", async (t) => {
  const command = leaving("sleep 60", "sh", "-c", "echo a last word >&2; exit 3");
  await soon(
    assert.rejects(spawn({ command, log: grandchildren(t) }), (error) => {
      assert.ok(error instanceof PluginDiedError);
      assert.match(error.stderr, /a last word$/);
      return error.exitCode === 3;
    }),
  );
});

test("what a plugin said before its death is told though a grandchild holds its output", async (t) => {
  const plugin = await beside(t, "die");
  const read = plugin.fetch("/v2/").then((response) => response.text());
  await assert.rejects(read, /SIGKILL; its standard error ends with:\n(.*\n)*about to be killed/);
});

test("close takes no time though a grandchild holds its output", async (t) => {
  const plugin = await beside(t, "mute");
  await soon(plugin.close());
});

test("what stands in the pipes of a dead child is read", async (t) => {
  for (const pair of [undefined, await socketPair()]) {
    const lines: string[] = [];
    const tell = grandchildren(t);
    const line = (text: string): void => {
      lines.push(text);
      tell(text);
    };
    const last = ["sh", "-c", "read go; head -c 8000 /dev/zero; echo a last word >&2"];
    const child = new Child({ words: leaving("sleep 60", ...last), own: false }, line, pair);
    let length = 0;
    child.stdout.on("data", (chunk: Uint8Array) => (length += chunk.length));
    // Node reaps all dead children when one dies: it learns of this death before it has polled this child's pipes.
    const other = new Child({ words: ["echo"], own: false }, () => undefined);
    other.stdout.once("data", () => {
      child.stdin.write("go\n");
      awaitDeath(child);
    });
    awaitDeath(other);
    assert.deepEqual(await child.exited, { code: 0, signal: null });
    assert.deepEqual([length, lines.at(-1)], [8000, "a last word"]);
  }
});

test("a grandchild that writes without end does not keep a dead child", async () => {
  const words = leaving("cat /dev/zero >&2", "sh", "-c", "exit 3");
  const child = new Child({ words, own: false }, () => undefined); // `cat` ends as its pipe is closed
  assert.deepEqual(await child.exited, { code: 3, signal: null });
});

test("a plugin that the system does not end is not waited for without end", async (t) => {
  const plugin = await spawn({ command: misbehaving("deaf"), closeTimeout: 50 });
  const kill = t.mock.method(ChildProcess.prototype, "kill", () => false);
  await assert.rejects(plugin.close(), new RegExp(`is still running as process ${plugin.pid}$`));
  assert.deepEqual(kill.mock.calls.map((call) => call.arguments[0]), ["SIGTERM", "SIGKILL"]);
  kill.mock.restore();
  await plugin.destroy();
  assert.deepEqual(await plugin.exited, { code: null, signal: "SIGKILL" });
});
