import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";

import { fetch, interceptors, pipeline, request } from "undici";

import type { Plugin } from "../src/index.js";
import { PluginDispatcher } from "../src/undici.js";
import { digestOf, inMemory, pattern, pushBlob, redirecting, uploadURL } from "./helpers.js";

let plugin: Plugin;
let dispatcher: PluginDispatcher;
before(async () => {
  plugin = await inMemory();
  dispatcher = new PluginDispatcher(plugin);
});
after(() => dispatcher.close());

test("undici.request pushes a stream and pulls it back", async () => {
  const content = pattern(3_000_000);
  const digest = digestOf(content);
  const url = await uploadURL(plugin, "undici", digest);
  const body = Readable.from([content.subarray(0, 1_000_000), content.subarray(1_000_000)]);
  const pushed = await request(url, { method: "PUT", body, dispatcher });
  assert.equal(pushed.statusCode, 201);
  await pushed.body.dump();
  const pulled = await request(`http://x/v2/undici/blobs/${digest}`, { dispatcher, headers: { range: "bytes=4-7" } });
  assert.deepEqual([pulled.statusCode, pulled.headers["content-length"]], [206, "4"]);
  assert.deepEqual(Buffer.from(await pulled.body.arrayBuffer()), content.subarray(4, 8));
});

test("an answer before the end of the request's body is kept", async () => {
  const body = Readable.from(Array.from({ length: 200 }, () => Buffer.alloc(65_536)));
  const answer = await request("http://x/v2/", { method: "PUT", body, dispatcher });
  assert.equal(answer.statusCode, 405);
  assert.match(await answer.body.text(), /UNSUPPORTED/);
  assert.ok(body.destroyed);
});

test("undici.fetch reads a large body whole, and aborts", async () => {
  const digest = await pushBlob(plugin, "undici", pattern(8 << 20));
  const response = await fetch(`http://x/v2/undici/blobs/${digest}`, { dispatcher });
  assert.equal(digestOf(Buffer.from(await response.arrayBuffer())), digest);
  const aborting = new AbortController();
  const begun = await fetch(`http://x/v2/undici/blobs/${digest}`, { dispatcher, signal: aborting.signal });
  aborting.abort();
  await assert.rejects(begun.arrayBuffer(), { name: "AbortError" });
});

test("a GET may have a body, and any method that undici sends is sent", async () => {
  const echo = new PluginDispatcher(await redirecting());
  const said = async (method: string, body?: string | Readable): Promise<unknown> => {
    const answer = await request("http://x/echo", { dispatcher: echo, method: method as "GET", body: body ?? null });
    return answer.body.json();
  };
  const bodies: [body: string | Readable | undefined, arrives: string][] = [
    [undefined, ""],
    ["whole", "whole"],
    [Readable.from(["in ", "pieces"]), "in pieces"],
    [Readable.from([]), ""],
  ];
  for (const [given, body] of bodies) {
    assert.deepEqual(await said("GET", given), { method: "GET", path: "/echo", body });
  }
  assert.deepEqual(await said("TRACE"), { method: "TRACE", path: "/echo", body: "" });
  const head = await request("http://x/echo", { dispatcher: echo, method: "HEAD", body: "whole" });
  assert.deepEqual([head.statusCode, await head.body.text()], [200, ""]);
  await echo.close();
});

test("undici.pipeline pushes and pulls", async () => {
  const content = pattern(1_000_000);
  const digest = digestOf(content);
  const url = await uploadURL(plugin, "pipeline", digest);
  const statuses: number[] = [];
  const through = (target: string | URL, method: "GET" | "PUT"): ReturnType<typeof pipeline> =>
    pipeline(target, { dispatcher, method }, ({ statusCode, body }) => {
      statuses.push(statusCode);
      return body;
    });
  assert.equal(await text(through(url, "PUT").end(content)), "");
  const pulled: Buffer[] = [];
  for await (const piece of through(`http://x/v2/pipeline/blobs/${digest}`, "GET").end()) pulled.push(piece as Buffer);
  assert.ok(Buffer.concat(pulled).equals(content));
  assert.deepEqual(statuses, [201, 200]);
});

test("interceptors compose over it", async () => {
  const composed = dispatcher.compose(interceptors.retry({ maxRetries: 1 }));
  const response = await request("http://x/v2/", { dispatcher: composed });
  assert.deepEqual(await response.body.json(), {});
});

test("what fails below HTTP is the plugin's error", async () => {
  const other = await inMemory();
  const gone = new PluginDispatcher(other);
  await gone.destroy();
  await assert.rejects(request("http://x/v2/", { dispatcher: gone }), { code: "UDIST_ERR_CLOSED" });
});
