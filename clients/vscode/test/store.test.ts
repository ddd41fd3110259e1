import assert from "node:assert/strict";
import { test } from "node:test";

import { Restarts } from "../src/model/restarts.js";
import { RestartsError } from "../src/model/store.js";
import type { Store } from "../src/model/store.js";
import { temporary, watched } from "./stores.js";

const folder = temporary();

async function asks(store: Store): Promise<void> {
  const list = store.registry(AbortSignal.timeout(60_000)).listRepositories();
  assert.deepEqual(await Array.fromAsync(list), []);
}

async function kill(store: Store, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  const pid = await store.pid();
  assert.ok(pid);
  process.kill(pid, signal);
}

test("nothing is spawned before something is asked", async () => {
  const { store } = watched(folder);
  assert.equal(store.state, "stopped");
  assert.equal(await store.pid(), undefined);
  await asks(store);
  assert.equal(store.state, "running");
});

test("a plugin that died is spawned again for the next request, until it died too often", async () => {
  const { store, log } = watched(folder, { restarts: new Restarts(3) });
  for (let i = 0; i < 3; i++) {
    await asks(store);
    await kill(store);
  }
  await assert.rejects(asks(store), RestartsError);
  assert.equal(store.state, "failed");
  assert.equal(log.filter((line) => line.includes("ended with SIGKILL")).length, 3);
  await store.restart();
  await asks(store);
});

test("starts are forgotten after their period", () => {
  let now = 0;
  const restarts = new Restarts(2, 1000, () => now);
  assert.deepEqual([restarts.take(), restarts.take(), restarts.take()], [true, true, false]);
  now = 1001;
  assert.equal(restarts.take(), true);
});

test("a store that is closed starts nothing more, and leaves no process", async () => {
  const { store } = watched(folder);
  await asks(store);
  const pid = await store.pid();
  assert.ok(pid);
  await store.close();
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  await assert.rejects(asks(store), /no longer among the settings/);
});

test("a plugin that does not react is ended within five seconds", async () => {
  const { store } = watched(folder);
  await asks(store);
  const pid = await store.pid();
  assert.ok(pid);
  await kill(store, "SIGSTOP");
  const began = performance.now();
  await store.close();
  assert.ok(performance.now() - began < 5_000);
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

test("a store that is still starting is closed at once", async () => {
  const { store } = watched(folder, { command: ["sleep", "600"] });
  const asked = assert.rejects(asks(store), /was closed/);
  await store.close();
  await asked;
});

test("two hosts share a store, also while the first has not ended", async () => {
  const [first, second] = [watched(folder).store, watched(folder).store];
  await asks(first);
  await asks(second);
  await first.close();
  await asks(second);
});
