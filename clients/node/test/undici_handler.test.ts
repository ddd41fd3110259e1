import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";

import { errors, request } from "undici";
import type { Dispatcher } from "undici";

import type { Plugin } from "../src/index.js";
import { PluginDispatcher } from "../src/undici.js";
import { over } from "./dispatching.js";
import { inMemory, misbehaving } from "./helpers.js";

const SOON = 20; // milliseconds
const { BodyTimeoutError, HeadersTimeoutError, InvalidArgumentError } = errors;

let mute: Plugin;
before(async () => {
  mute = await inMemory({ command: misbehaving("mute") });
});
after(() => mute.destroy());

/** A response that says something and then stalls, until it is cancelled or aborted. */
function stalling(): PluginDispatcher {
  return over((_, init) => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from("begun"));
        init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
      },
    });
    return Promise.resolve(new Response(body));
  });
}

/** Keeps the process from ending while nothing but a timer of undici's kind is under way. */
async function awake<T>(done: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 1000);
  return done.finally(() => clearInterval(timer));
}

/** Lasts longer than another wait that began before it and is as long. */
async function lasting(headersTimeout: number): Promise<void> {
  await assert.rejects(request("http://x/", { dispatcher: new PluginDispatcher(mute), headersTimeout }), HeadersTimeoutError);
}

test("a registry that does not answer is given up after headersTimeout", async () => {
  const dispatcher = new PluginDispatcher(mute);
  const options = { dispatcher, method: "PUT", headersTimeout: SOON } as const;
  await assert.rejects(request("http://x/", { ...options, body: "whole" }), HeadersTimeoutError);
  const body = Readable.from(["in ", "pieces"]);
  await assert.rejects(request("http://x/", { ...options, body }), HeadersTimeoutError);
  assert.ok(body.destroyed);
});

test("time that a request's body takes is not the registry's", async () => {
  const echo = over(async (input, init) => new Response(await new Request(input, init).text()));
  const headersTimeout = 200; // which the answer must not need
  async function* slow(): AsyncGenerator<string> {
    await lasting(headersTimeout + SOON);
    yield "at last";
  }
  const body = Readable.from(slow());
  const answer = await request("http://x/", { method: "PUT", body, dispatcher: echo, headersTimeout });
  assert.equal(await answer.body.text(), "at last");
});

test("a response that does not go on is given up after bodyTimeout", async () => {
  const { body } = await request("http://x/", { dispatcher: stalling(), bodyTimeout: SOON });
  await assert.rejects(awake(body.text()), BodyTimeoutError);
});

test("0 is no bound, and what is no time is refused", async () => {
  const dispatcher = stalling();
  const { body } = await request("http://x/", { dispatcher, headersTimeout: 0, bodyTimeout: 0 });
  await lasting(2 * SOON);
  assert.equal(String((await body.iterator().next()).value), "begun");
  body.destroy();
  for (const wrong of [{ headersTimeout: -1 }, { bodyTimeout: NaN }, { bodyTimeout: "1" as unknown as number }]) {
    await assert.rejects(request("http://x/", { dispatcher, ...wrong }), InvalidArgumentError);
  }
});

test("a handler that pauses may take longer than bodyTimeout", async () => {
  let controller: Dispatcher.DispatchController | undefined;
  const told: string[] = [];
  const ended = new Promise<Error>((resolve) => {
    stalling().dispatch(
      { origin: "http://x", path: "/", method: "GET", bodyTimeout: SOON },
      {
        onRequestStart: (given) => (controller = given),
        onResponseData: (given, piece) => {
          told.push(String(piece));
          given.pause();
        },
        onResponseError: (_, error) => resolve(error),
      },
    );
  });
  await lasting(2 * SOON);
  assert.deepEqual([told, controller?.aborted], [["begun"], false]);
  controller?.resume();
  assert.ok((await awake(ended)) instanceof BodyTimeoutError);
});

test("pauses leave nothing behind", async () => {
  let signal: AbortSignal | undefined;
  const many = over((_, init) => {
    signal = init?.signal ?? undefined;
    return Promise.resolve(new Response(ReadableStream.from(Array.from({ length: 20 }, () => Buffer.from("piece")))));
  });
  let pauses = 0;
  await new Promise<void>((resolve, reject) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseData: (controller) => {
        pauses++;
        controller.pause();
        setImmediate(() => controller.resume());
      },
      onResponseEnd: () => resolve(),
      onResponseError: (_, error) => reject(error),
    };
    many.dispatch({ origin: "http://x", path: "/", method: "GET" }, handler);
  });
  assert.equal(pauses, 20);
  assert.ok(signal);
  assert.deepEqual(getEventListeners(signal, "abort"), []);
});

test("an abort ends a pause", async () => {
  const error = await new Promise<Error>((resolve) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (controller) => controller.pause(),
      onResponseData: () => assert.fail("it is paused"),
      onResponseError: (_, reason) => resolve(reason),
    };
    stalling().dispatch(
      { origin: "http://x", path: "/", method: "GET" },
      { ...handler, onRequestStart: (controller) => setImmediate(() => controller.abort(new Error("enough"))) },
    );
  });
  assert.equal(error.message, "enough");
});

test("an abort in the middle of a response has the reason of the request's signal", async () => {
  let within: AbortSignal | null | undefined;
  const dispatcher = over((_, init) => {
    within = init?.signal;
    return Promise.resolve(new Response(new ReadableStream()));
  });
  const late = new DOMException("late", "TimeoutError");
  const aborting = new AbortController();
  const { body } = await request("http://x/", { dispatcher, signal: aborting.signal });
  const read = body.text();
  aborting.abort(late);
  await assert.rejects(read, late);
  assert.equal(within?.reason, late);
});

test("a field that comes more than once is a list", async () => {
  const cookies = over(() => {
    const headers = new Headers([["one", "1"], ["__proto__", "2"]]);
    for (const cookie of ["a=1", "b=2", "c=3"]) headers.append("set-cookie", cookie);
    return Promise.resolve(new Response(null, { headers }));
  });
  const fields = await new Promise<IncomingHttpHeaders>((resolve) => {
    cookies.dispatch(
      { origin: "http://x", path: "/", method: "GET" },
      { onRequestStart: () => undefined, onResponseStart: (...[, , headers]) => resolve(headers) },
    );
  });
  assert.deepEqual(Object.entries(fields).sort(), [
    ["__proto__", "2"],
    ["one", "1"],
    ["set-cookie", ["a=1", "b=2", "c=3"]],
  ]);
  assert.deepEqual((await request("http://x/", { dispatcher: cookies })).headers["set-cookie"], ["a=1", "b=2", "c=3"]);
});
