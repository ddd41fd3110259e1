import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { setImmediate, setTimeout } from "node:timers/promises";
import { test } from "node:test";

import { request } from "undici";

import { fetchOver, sendOver } from "../src/fetch.js";
import type { Plugin } from "../src/index.js";
import { NoSlot, NotSent } from "../src/link/errors.js";
import type { Exchange } from "../src/link/exchange.js";
import { Link } from "../src/link/link.js";
import { encode } from "../src/wire/codec.js";
import { PluginDispatcher } from "../src/undici.js";
import type { FrameInit } from "../src/wire/codec.js";
import { dataHead } from "../src/wire/framing.js";
import { Code } from "../src/wire/generated/frame_pb.js";

const HEAD = { method: "HEAD", scheme: "http", authority: "localhost", target: "/v2/", fields: [] };
const SLOTS = 64;
const SOON = 250; // milliseconds

type Say = (frame: FrameInit | Uint8Array) => Promise<void>;

/** A link to a plugin that is only its output, after the handshake. */
async function linked(slotTimeout = 60_000): Promise<{ link: Link; say: Say }> {
  const output = new PassThrough();
  const link = new Link(output, new PassThrough().resume(), {
    memory: 0,
    slotTimeout,
    explain: (cause) => Promise.resolve(cause),
    hold: () => undefined,
  });
  const say = async (frame: FrameInit | Uint8Array): Promise<void> => {
    output.write(frame instanceof Uint8Array ? frame : encode(frame));
    await setImmediate();
  };
  const ready = link.shakeHands({ versions: [1] });
  await say({ body: { case: "settings", value: { versions: [1], maxStreams: SLOTS } } });
  await ready;
  return { link, say };
}

/** A response that is over with its head. */
function answer(streamId: number): FrameInit {
  return { streamId, endStream: true, body: { case: "response", value: { status: 200 } } };
}

test("a slot is free with whatever frame ends its stream", async () => {
  const { link, say } = await linked();
  const first = await Promise.all(Array.from({ length: SLOTS }, () => link.open(HEAD, true)));
  const waiting = Array.from({ length: SLOTS }, () => link.open(HEAD, true));
  for (const { stream } of first) await say(answer(stream.id));
  const second = await Promise.all(waiting);
  assert.deepEqual(new Set(second.map(({ stream }) => stream.id)).size, SLOTS);
  link.end(new Error("enough"));
});

test("a slot that whoever waited for it cannot use goes to the next", async () => {
  const { link, say } = await linked();
  const all = await Promise.all(Array.from({ length: SLOTS }, () => link.open(HEAD, true)));
  const gone = new AbortController();
  const failing = [
    link.open({ ...HEAD, fields: [{ name: "x", value: new Uint8Array(70_000) }] }, true),
    link.open(HEAD, true, gone.signal),
  ];
  const next = link.open(HEAD, true);
  const rejected = Promise.all(failing.map((opening) => assert.rejects(opening)));
  const [{ stream }] = all as [Exchange, ...Exchange[]];
  const said = say(answer(stream.id));
  gone.abort();
  await said;
  await rejected;
  assert.equal((await next).stream.id, 2 * SLOTS + 1);
  link.end(new Error("enough"));
});

/** A response's head, and a piece of its content that is not the last. */
async function begin(say: Say, { stream }: { stream: { id: number } }): Promise<void> {
  await say({ streamId: stream.id, body: { case: "response", value: { status: 200 } } });
  await say({ streamId: stream.id, body: { case: "data", value: new Uint8Array(100) } });
}

test("a request that waits for unread responses is given up once nothing has moved for a time", async () => {
  const { link, say } = await linked(SOON);
  const all = await Promise.all(Array.from({ length: SLOTS }, () => link.open({ ...HEAD, method: "GET" }, true)));
  for (const exchange of all) await begin(say, exchange);
  const [first, second] = all as [Exchange, Exchange, ...Exchange[]];
  const waiting = link.open(HEAD, true);
  let waits = true;
  waiting.finally(() => (waits = false)).catch(() => undefined);
  for (let i = 0; i < 10; i++) {
    first.take(); // somebody reads
    await setTimeout(SOON / 5);
    await say({ streamId: first.stream.id, body: { case: "data", value: new Uint8Array(100) } });
  }
  assert.ok(waits);
  await assert.rejects(waiting, (error) => {
    assert.ok(error instanceof NotSent && error.cause instanceof NoSlot);
    assert.match(error.cause.message, /64 of 64 open responses are not being read/);
    return true;
  });
  second.cancel(new Error("not wanted"));
  const next = link.open(HEAD, true);
  await say({ streamId: second.stream.id, body: { case: "reset", value: {} } }); // its worker has finished
  await next;
  link.end(new Error("enough"));
});

test("work of the plugin is waited for as long as it takes", async () => {
  const { link, say } = await linked(SOON);
  const all = await Promise.all(Array.from({ length: SLOTS }, () => link.open({ ...HEAD, method: "GET" }, true)));
  const [first, ...others] = all as [Exchange, ...Exchange[]];
  for (const exchange of others) await begin(say, exchange);
  for (const exchange of others) void exchange.until(() => exchange.finished); // each has its reader
  for (const exchange of others) exchange.take();
  const waiting = link.open(HEAD, true);
  await setTimeout(2 * SOON);
  await say(answer(first.stream.id));
  await waiting;
  link.end(new Error("enough"));
});

test("an empty last frame in another order of its fields is an end as any other", async () => {
  const { link, say } = await linked();
  const exchange = await link.open({ ...HEAD, method: "GET" }, true);
  await say({ streamId: 1, body: { case: "response", value: { status: 200 } } });
  await say(Uint8Array.from([0, 0, 0, 0, 6, 0x7a, 0, 0x08, 1, 0x10, 1]));
  assert.deepEqual([exchange.take(), exchange.finished], [undefined, true]);
  link.end(new Error("enough"));
});

test("a response that is complete stays, whatever resets the rest of its request", async () => {
  const { link, say } = await linked();
  const exchange = await link.open({ ...HEAD, method: "PUT" }, false);
  await say({ streamId: 1, body: { case: "response", value: { status: 413 } } });
  await say({ streamId: 1, endStream: true, body: { case: "data", value: new Uint8Array(5) } });
  await say({ streamId: 1, body: { case: "reset", value: { code: Code.INTERNAL } } });
  assert.equal((await exchange.head()).status, 413);
  assert.deepEqual([exchange.take()?.length, exchange.finished, exchange.unwanted], [5, true, true]);
  link.end(new Error("enough"));
});

test("closing waits for the rest of a last payload, whose head has ended the response", async () => {
  const { link, say } = await linked();
  const exchange = await link.open({ ...HEAD, method: "GET" }, true);
  await say({ streamId: 1, body: { case: "response", value: { status: 200 } } });
  await say(Buffer.concat([dataHead(1, 200, true), Buffer.alloc(100)]));
  let drained = false;
  const draining = link.drain(60_000, 60_000).then(() => (drained = true));
  await setImmediate();
  assert.equal(drained, false);
  await say(Buffer.alloc(100));
  await draining;
  assert.deepEqual([exchange.take()?.length, exchange.take()?.length, exchange.finished], [100, 100, true]);
  link.end(new Error("enough"));
});

test("the plugin is told whether an exchange was aborted or took too long", async () => {
  const { link } = await linked();
  for (const [name, code] of [["AbortError", Code.CANCELLED], ["TimeoutError", Code.DEADLINE_EXCEEDED]] as const) {
    const exchange = await link.open(HEAD, true);
    exchange.cancel(new DOMException("as a signal has it", name));
    assert.equal(exchange.stream.reset?.code, code);
  }
  link.end(new Error("enough"));
});

test("a response without content fails like any other until it has ended", async () => {
  const { link, say } = await linked();
  const wrong = { case: "data", value: new Uint8Array(1) } as const;
  for (const [i, body] of [{ case: "end", value: {} } as const, wrong].entries()) {
    const streamId = 2 * i + 1;
    const fetched = Promise.allSettled([fetchOver(link, false, "/v2/", { method: "DELETE" })]);
    await setImmediate(); // the request is sent
    await say({ streamId, body: { case: "response", value: { status: 204 } } });
    await say({ streamId, body });
    const [{ status }] = await fetched;
    assert.equal(status, body === wrong ? "rejected" : "fulfilled");
  }
  link.end(new Error("enough"));
});

test("undici gets a response's trailers", async () => {
  const { link, say } = await linked();
  const send: Plugin["send"] = (sent, signal) => sendOver(link, false, sent, signal);
  const dispatcher = new PluginDispatcher({ send, followRedirects: false } as unknown as Plugin);
  const asked = request("http://localhost/v2/", { dispatcher });
  await setImmediate(); // the request is sent
  await begin(say, { stream: { id: 1 } });
  const { body, trailers } = await asked;
  const trailing = [["x-sum", "1"], ["x-sum", "2"], ["x-name", "\xfc"]] as const;
  const sent = trailing.map(([name, text]) => ({ name, value: Buffer.from(text, "latin1") }));
  await say({ streamId: 1, body: { case: "end", value: { trailers: sent } } });
  assert.equal((await body.arrayBuffer()).byteLength, 100);
  assert.deepEqual(trailers, { "x-sum": ["1", "2"], "x-name": "\xfc" });
  link.end(new Error("enough"));
});
