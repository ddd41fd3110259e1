import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { BodyError, ClosedError, SlotTimeoutError, UdistError } from "../src/index.js";
import type { Plugin } from "../src/index.js";
import { IN_MEMORY, digestOf, inMemory, pattern, pushBlob, readWithBuffers, uploadURL } from "./helpers.js";

let plugin: Plugin;
before(async () => (plugin = await inMemory()));
after(() => plugin.close());

test("a bare path, a URL, a URL object and a Request", async () => {
  for (const input of ["/v2/", "http://any.host/v2/", new URL("https://x/v2/"), new Request("http://x/v2/")]) {
    const response = await plugin.fetch(input);
    assert.ok(response instanceof Response);
    assert.equal(response.status, 200);
    assert.equal(new URL(response.url).pathname, "/v2/");
    assert.deepEqual(await response.json(), {});
  }
});

test("errors of HTTP are responses", async () => {
  const response = await plugin.fetch("/v2/none/manifests/v1");
  assert.deepEqual([response.ok, response.status, response.statusText], [false, 404, "Not Found"]);
  const { errors } = (await response.json()) as { errors: { code: string }[] };
  assert.equal(errors[0]?.code, "MANIFEST_UNKNOWN");
});

test("content of every kind of body arrives whole", async (t) => {
  const content = pattern(3_000_001) as Buffer<ArrayBuffer>;
  const digest = digestOf(content);
  const bodies: Record<string, () => RequestInit> = {
    buffer: () => ({ body: content }),
    blob: () => ({ body: new Blob([content]) }),
    stream: () => ({ body: chunked(content, 10_007), duplex: "half" }),
    "stream of known length": () => ({
      body: chunked(content, 1 << 20),
      duplex: "half",
      headers: { "content-length": String(content.length) },
    }),
  };
  for (const [kind, init] of Object.entries(bodies)) {
    await t.test(kind, async () => {
      const name = `bodies/${kind.replaceAll(" ", "-")}`;
      const pushed = await plugin.fetch(await uploadURL(plugin, name, digest), { method: "PUT", ...init() });
      assert.equal(pushed.status, 201, await pushed.text());
      const pulled = await plugin.fetch(`/v2/${name}/blobs/${digest}`);
      assert.ok(Buffer.from(await pulled.arrayBuffer()).equals(content));
    });
  }
});

test("HEAD has no body and keeps its length", async () => {
  const digest = await pushBlob(plugin, "head", pattern(1000));
  const response = await plugin.fetch(`/v2/head/blobs/${digest}`, { method: "HEAD" });
  assert.deepEqual([response.headers.get("content-length"), response.body], ["1000", null]);
});

test("a body is read by chunks and by buffers of the reader's own", async () => {
  const content = pattern(700_000);
  const digest = await pushBlob(plugin, "readers", content);
  const chunks: Uint8Array[] = [];
  const byChunks = await plugin.fetch(`/v2/readers/blobs/${digest}`);
  assert.ok(byChunks.body);
  for await (const chunk of byChunks.body as ReadableStream<Uint8Array>) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(content));
  const byBuffers = await plugin.fetch(`/v2/readers/blobs/${digest}`);
  assert.equal(await readWithBuffers(byBuffers.body as ReadableStream<Uint8Array>), digest);
});

test("a body is whole however its last frame comes", async () => {
  const content = pattern(32 << 20);
  const digest = await pushBlob(plugin, "last", content);
  for (let i = 0; i < 5; i++) {
    const response = await plugin.fetch(`/v2/last/blobs/${digest}`);
    let total = 0;
    for await (const chunk of response.body as ReadableStream<Uint8Array>) total += chunk.length;
    assert.equal(total, content.length);
  }
});

test("a response that nobody reads stalls itself and nothing else", async () => {
  const digest = await pushBlob(plugin, "stalled", pattern(8 << 20));
  const unread = await Promise.all(
    Array.from({ length: 20 }, () => plugin.fetch(`/v2/stalled/blobs/${digest}`)),
  );
  assert.equal((await plugin.fetch("/v2/")).status, 200);
  for (const { body } of unread) await body?.cancel();
});

test("responses that nobody reads, more than there are slots before the settings, hold up no other", async () => {
  const content = pattern(1 << 20);
  const digest = await pushBlob(plugin, "many", content);
  const unread: Response[] = [];
  for (let i = 0; i < 300; i++) unread.push(await plugin.fetch(`/v2/many/blobs/${digest}`));
  const last = await plugin.fetch(`/v2/many/blobs/${digest}`);
  for (const size of [10, 16 << 10, 40 << 10, 1 << 20]) await pushBlob(plugin, "many", pattern(size));
  assert.deepEqual(Buffer.from(await last.arrayBuffer()), content);
  for (const { body } of unread) await body?.cancel();
});

test("more exchanges at once than there are slots", async () => {
  const all = Array.from({ length: 2000 }, async () => (await plugin.fetch("/v2/")).text());
  assert.ok((await Promise.all(all)).every((text) => text === "{}"));
});

test("a fetch that waits for unread responses is rejected, and says what to do", async () => {
  const other = await inMemory({ slotTimeout: 100, config: `${IN_MEMORY}udist: {maxstreams: 64}` });
  const digest = await pushBlob(other, "slots", pattern(1 << 20));
  const unread: Response[] = [];
  const more = async (): Promise<void> => {
    for (;;) unread.push(await other.fetch(`/v2/slots/blobs/${digest}`));
  };
  await assert.rejects(more(), (error) => {
    assert.ok(error instanceof SlotTimeoutError && error.code === "UDIST_ERR_SLOT_TIMEOUT" && error.retryable);
    const count = unread.length;
    return error.message.includes(`${count} of ${count} open responses are not being read; read or cancel`);
  });
  await unread.pop()?.body?.cancel();
  assert.equal((await other.fetch("/v2/")).status, 200);
  await other.close();
});

test("an aborted exchange rejects with the reason", async () => {
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(plugin.fetch("/v2/", { signal: controller.signal }), { name: "AbortError" });
  const late = new AbortController();
  const digest = await pushBlob(plugin, "aborted", pattern(8 << 20));
  const response = await plugin.fetch(`/v2/aborted/blobs/${digest}`, { signal: late.signal });
  const read = response.arrayBuffer();
  const reason = new Error("enough");
  late.abort(reason);
  await assert.rejects(read, reason);
  const never = new ReadableStream<Uint8Array>();
  const signal = AbortSignal.timeout(200);
  const url = await uploadURL(plugin, "aborted", digest);
  await assert.rejects(plugin.fetch(url, { method: "PUT", body: never, duplex: "half", signal }), {
    name: "TimeoutError",
  });
});

test("a body that fails is an error of its own, and nothing of it is committed", async () => {
  const digest = digestOf(pattern(100_000));
  const failing = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (controller.desiredSize === 1) controller.enqueue(pattern(50_000));
      controller.error(new RangeError("half way"));
    },
  });
  const url = await uploadURL(plugin, "failing", digest);
  await assert.rejects(plugin.fetch(url, { method: "PUT", body: failing, duplex: "half" }), (error) => {
    assert.ok(error instanceof BodyError);
    return error.code === "UDIST_ERR_BODY" && error.cause instanceof RangeError;
  });
  assert.equal((await plugin.fetch(`/v2/failing/blobs/${digest}`)).status, 404);
});

test("a body of another length than was declared is an error", async () => {
  for (const declared of ["10", "1000000"]) {
    const url = await uploadURL(plugin, "length", digestOf(pattern(1000)));
    const init = { method: "PUT", headers: { "content-length": declared }, duplex: "half" } as const;
    const sent = plugin.fetch(url, { ...init, body: chunked(pattern(1000), 100) });
    await assert.rejects(sent, (error) => error instanceof UdistError && error.code === "UDIST_ERR_BODY");
  }
});

test("a body of a known length need not end before its response", async () => {
  const content = pattern(300_000); // more than the first credit
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(content) });
  const init = { method: "PUT", headers: { "content-length": String(content.length) }, duplex: "half" } as const;
  const response = await plugin.fetch(await uploadURL(plugin, "late", digestOf(content)), { ...init, body });
  assert.equal(response.status, 201);
});

test("an answer before the end of the request is kept, and the body is cancelled", async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    cancel: () => void (cancelled = true),
  });
  const response = await plugin.fetch("/v2/early/manifests/v1", {
    method: "PUT",
    headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body: endless,
    duplex: "half",
  });
  assert.ok(response.status >= 400);
  await response.text();
  assert.ok(cancelled);
});

test("after close there are no more exchanges, and closing twice is closing once", async () => {
  const other = await inMemory();
  await Promise.all([other.close(), other.close()]);
  assert.deepEqual(await other.exited, { code: 0, signal: null });
  await assert.rejects(other.fetch("/v2/"), ClosedError);
});

test("close lets a response be read to its end, and gives up one that nobody reads", async () => {
  const other = await inMemory();
  const digest = await pushBlob(other, "closing", pattern(4 << 20));
  const read = await other.fetch(`/v2/closing/blobs/${digest}`);
  const unread = await other.fetch(`/v2/closing/blobs/${digest}`);
  const [content] = await Promise.all([read.arrayBuffer(), other.close()]);
  assert.equal(content.byteLength, 4 << 20);
  await assert.rejects(unread.arrayBuffer(), ClosedError);
});

test("close waits for a reader that takes its time over what is here already", async () => {
  const other = await inMemory();
  const digest = await pushBlob(other, "slow", pattern(16 << 20));
  const { body } = await other.fetch(`/v2/slow/blobs/${digest}`);
  const closed = other.close();
  let total = 0;
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    total += chunk.length;
    await setTimeout(chunk.length / 5000); // of what a window grants at once, longer than a frame is waited for
  }
  assert.equal(total, 16 << 20);
  await closed;
});

test("destroy fails what is under way with its error", async () => {
  const other = await inMemory();
  const digest = await pushBlob(other, "destroyed", pattern(4 << 20));
  const response = await other.fetch(`/v2/destroyed/blobs/${digest}`);
  const reason = new Error("no longer needed");
  await other.destroy(reason);
  await assert.rejects(response.arrayBuffer(), reason);
  assert.deepEqual(await other.exited, { code: null, signal: "SIGKILL" });
});

function chunked(content: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let position = 0;
  return new ReadableStream({
    pull(controller) {
      if (position >= content.length) controller.close();
      else controller.enqueue(content.slice(position, (position += size)));
    },
  });
}
