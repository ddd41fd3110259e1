import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { after, before, test } from "node:test";

import { BodyError, RequestError } from "../src/index.js";
import type { Plugin } from "../src/index.js";
import { digestOf, inMemory, pattern, pushBlob, uploadURL } from "./helpers.js";

// What the platform's fetch does with its arguments, and its responses with theirs.

let plugin: Plugin;
before(async () => (plugin = await inMemory()));
after(() => plugin.close());

test("a Request may be the init of another", async () => {
  const init = new Request("http://x/", { method: "POST", headers: { "x-y": "z" } });
  const begun = await plugin.fetch("http://localhost/v2/init/blobs/uploads/", init);
  assert.equal(begun.status, 202);
});

test("what the platform refuses is refused as there", async () => {
  const refused: [string, RequestInit?][] = [
    ["http://"],
    ["http://user:password@localhost/v2/"],
    ["/v2/", { headers: { "a b": "c" } }],
    ["/v2/", { headers: { a: "b\nc" } }],
    ["/v2/", { method: "TRACE" }],
    ["/v2/", { body: "content" }],
    ["/v2/", { method: "HEAD", body: "content" }],
  ];
  for (const [url, init] of refused) {
    const there = url.startsWith("/") ? `http://127.0.0.1:1${url}` : url;
    const platform = await globalThis.fetch(there, init).catch((error: unknown) => error);
    assert.ok(platform instanceof TypeError);
    await assert.rejects(plugin.fetch(url, init), TypeError, url);
  }
});

test("a signal of null takes the Request's own away", async () => {
  const request = new Request("http://localhost/v2/", { signal: AbortSignal.abort() });
  await assert.rejects(plugin.fetch(request), { name: "AbortError" });
  assert.equal((await plugin.fetch(request, { signal: null })).status, 200);
});

test("nothing is left on a signal that outlives its exchanges", async (t) => {
  const warnings: Error[] = [];
  const warned = (warning: Error): number => warnings.push(warning);
  process.on("warning", warned);
  t.after(() => process.off("warning", warned));
  const digest = await pushBlob(plugin, "signal", pattern(100));
  const { signal } = new AbortController();
  const many = (init: RequestInit): Promise<unknown> =>
    Promise.all(Array.from({ length: 30 }, async () => (await plugin.fetch(`/v2/signal/blobs/${digest}`, init)).text()));
  await many({ method: "HEAD", signal });
  await many({ signal });
  assert.deepEqual([getEventListeners(signal, "abort").length, warnings], [0, []]);
});

test("a clone is from where its response is", async () => {
  const response = await plugin.fetch("/v2/");
  const { url, type, redirected } = response.clone().clone();
  assert.deepEqual([url, type, redirected], ["http://localhost/v2/", "basic", false]);
  assert.equal(await response.text(), "{}");
});

test("integrity is refused, as it is not looked at", async () => {
  await assert.rejects(plugin.fetch("/v2/", { integrity: "sha256-AAAA" }), RequestError);
});

test("a body of more than its content-length says is an error however late the rest comes", async () => {
  const content = pattern(100);
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (pulls++ === 0) {
        controller.enqueue(content);
        return;
      }
      await plugin.fetch("/v2/"); // what came before is long there
      controller.enqueue(content);
      controller.close();
    },
  });
  const init = { method: "PUT", headers: { "content-length": "100" }, body, duplex: "half" } as const;
  await assert.rejects(plugin.fetch(await uploadURL(plugin, "late", digestOf(content)), init), BodyError);
  assert.equal((await plugin.fetch(`/v2/late/blobs/${digestOf(content)}`)).status, 404);
});

test("a body that is not sent is cancelled, with the reason", async () => {
  const reasons: unknown[] = [];
  const body = (): ReadableStream => new ReadableStream({ cancel: (reason) => void reasons.push(reason) });
  const length = { method: "PUT", headers: { "content-length": "1e3" }, duplex: "half" } as const;
  await assert.rejects(plugin.fetch("/v2/", { ...length, body: body() }), RequestError);
  const reason = new Error("enough");
  const controller = new AbortController();
  const url = await uploadURL(plugin, "cancelled", digestOf(pattern(1)));
  const sent = plugin.fetch(url, { method: "PUT", body: body(), duplex: "half", signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  await assert.rejects(sent, reason);
  assert.ok(reasons[0] instanceof RequestError);
  assert.equal(reasons[1], reason);
});
