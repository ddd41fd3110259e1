import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { RedirectError } from "../src/index.js";
import type { Plugin } from "../src/index.js";
import { redirecting } from "./helpers.js";

// What redirecting.py answers is answered by a server, too, for the platform's fetch: both must make the same of it.

let plugin: Plugin;
let base: string;
const server = createServer((request, response) => void answer(request, response));
before(async () => {
  plugin = await redirecting();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await plugin.close();
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
  const status = searchParams.get("status");
  const more = Number(searchParams.get("more"));
  const location = more ? `${pathname}?status=${status}&location=/echo&more=${more - 1}` : searchParams.get("location");
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const { authorization, cookie, "content-type": type } = request.headers;
  const echoed = { authorization, cookie, "content-type": type, body: Buffer.concat(pieces).toString() };
  const body = status === null ? { method: request.method, path: pathname, ...echoed } : {};
  response.setHeader("content-type", "application/json");
  if (location !== null) response.setHeader("location", location);
  response.writeHead(Number(status ?? 200)).end(JSON.stringify(body));
}

const redirect = (status: number, location?: string, more = 0): string =>
  `/v2/x?status=${status}&more=${more}${location === undefined ? "" : `&location=${encodeURIComponent(location)}`}`;

const secret = { authorization: "Bearer secret", cookie: "a=b", "content-type": "text/x" };

const CASES: Record<string, () => [path: string, init?: RequestInit]> = {
  "nothing to follow": () => ["/echo#fragment"],
  "301": () => [redirect(301, "/echo")],
  "302 of a HEAD": () => [redirect(302, "/echo"), { method: "HEAD" }],
  "301 of a POST": () => [redirect(301, "/echo"), { method: "POST", body: "content", headers: secret }],
  "302 of a PUT": () => [redirect(302, "../echo"), { method: "PUT", body: "content", headers: secret }],
  "303 of a PUT": () => [redirect(303, "/echo"), { method: "PUT", body: "content", headers: secret }],
  "303 of a stream": () => [redirect(303, "/echo"), { method: "PUT", body: stream(), duplex: "half" }],
  "307 of a string": () => [redirect(307, "/echo"), { method: "POST", body: "content", headers: secret }],
  "307 of a blob": () => [redirect(307, "/echo"), { method: "POST", body: new Blob(["a"], { type: "text/x" }) }],
  "308 of parameters": () => [redirect(308, "/echo"), { method: "POST", body: new URLSearchParams({ a: "b" }) }],
  "307 of a stream": () => [redirect(307, "/echo"), { method: "PUT", body: stream(), duplex: "half" }],
  "another origin": () => [redirect(307, base.replace("127.0.0.1", "localhost") + "/echo"), { headers: secret }],
  "another scheme": () => [redirect(302, "ftp://x/echo")],
  "no scheme at all": () => [redirect(302, "http://")],
  "credentials": () => [redirect(302, "http://me:secret@localhost/echo")],
  "no location": () => [redirect(302)],
  "300": () => [redirect(300, "/echo")],
  "304": () => [redirect(304, "/echo")],
  "20 of them": () => [redirect(302, "/echo", 19)],
  "21 of them": () => [redirect(302, "/echo", 20)],
};

test("redirects are followed, refused and handed out as the platform's fetch does", async (t) => {
  for (const mode of ["follow", "error", "manual"] as const) {
    for (const [name, one] of Object.entries(CASES)) {
      await t.test(`${mode}: ${name}`, async () => {
        const asked = async (fetch: typeof globalThis.fetch): Promise<unknown> => {
          const [path, init] = one();
          return outcome(fetch(base + path, { redirect: mode, ...init }));
        };
        assert.deepEqual(await asked(plugin.fetch), await asked(globalThis.fetch));
      });
    }
  }
});

test("what is not followed has a code, and shows no location", async () => {
  const told = plugin.fetch(redirect(302, "/echo?key=secret"), { redirect: "error" });
  await assert.rejects(told, (error) => {
    assert.ok(error instanceof TypeError && error.cause instanceof RedirectError);
    assert.equal(error.cause.code, "UDIST_ERR_REDIRECT");
    assert.equal(error.cause.message, "unexpected redirect: GET /v2/x was answered with 302");
    return true;
  });
});

test("bytes are sent again", async () => {
  // Node 20's own fetch has lost them by then, against the standard.
  const response = await plugin.fetch(redirect(307, "/echo"), { method: "POST", body: Buffer.from("content") });
  assert.equal(((await response.json()) as { body: string }).body, "content");
});

test("a form is sent again with a boundary of its own", async () => {
  const form = new FormData();
  form.set("a", "b");
  const response = await plugin.fetch(redirect(307, "/echo"), { method: "POST", body: form });
  const { body, "content-type": type } = (await response.json()) as { body: string; "content-type": string };
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(type)?.[1] ?? "none";
  assert.ok(body.startsWith(`--${boundary}\r\n`) && body.includes('name="a"\r\n\r\nb\r\n'), body);
});

test("an aborted signal ends the following", async () => {
  const aborting = new AbortController();
  const following = plugin.fetch(redirect(302, "/echo", 19), { signal: aborting.signal });
  aborting.abort();
  await assert.rejects(following, { name: "AbortError" });
});

async function outcome(answer: Promise<Response>): Promise<unknown> {
  try {
    const response = await answer;
    const { status, statusText, url, redirected, type, headers } = response;
    const body = await response.text();
    const content = body && (JSON.parse(body) as unknown);
    const used = redirected ? "with or without CORS" : type;
    return { status, statusText, url, redirected, used, location: headers.get("location"), content };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return `${error.name}: ${error.message}`;
  }
}

function stream(): ReadableStream<Uint8Array> {
  return new Blob(["content"]).stream();
}
