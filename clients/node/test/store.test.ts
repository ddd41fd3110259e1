import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { request } from "undici";

import { RedirectError } from "../src/index.js";
import type { Plugin } from "../src/index.js";
import { PluginDispatcher } from "../src/undici.js";
import { pattern, redirecting } from "./helpers.js";

const CONTENT = pattern(3_000_000);
const SECRETS = { authorization: "Bearer secret", cookie: "secret=1", "proxy-authorization": "Basic secret" };
const SIGNED = "?X-Signature=secret";

let plugin: Plugin;
let store: string;
const asked: { method: string | undefined; url: string; headers: IncomingHttpHeaders }[] = [];
const server = createServer(answer);
before(async () => {
  plugin = await redirecting({ followRedirects: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  store = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await plugin.close();
});

/** A store on the network, and what can go wrong there, by the path. */
function answer({ method, url = "", headers }: IncomingMessage, response: ServerResponse): void {
  asked.push({ method, url, headers });
  const [path] = url.split("?");
  const [status, location] = {
    "/moved": [302, `/data${SIGNED}`] as const,
    "/loop": [307, "/loop"] as const,
    "/nowhere": [302, undefined] as const,
    "/ftp": [302, "ftp://x/data"] as const,
    "/denied": [403, undefined] as const,
  }[path ?? ""] ?? [200, undefined];
  if (status !== 200) {
    response.writeHead(status, { ...(location && { location }) }).end();
    return;
  }
  if (path === "/silent") return;
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "");
  const content = range ? CONTENT.subarray(Number(range[1]), Number(range[2]) + 1) : CONTENT;
  response.writeHead(range ? 206 : 200, {
    "content-length": content.length,
    "content-type": "application/octet-stream",
    "set-cookie": "store=1",
    ...(range && { "content-range": `bytes ${range[1]}-${range[2]}/${CONTENT.length}` }),
  });
  if (path === "/data") response.end(method === "HEAD" ? undefined : content);
  else response.write(content.subarray(0, 1000), () => path === "/cut" && response.destroy());
}

/** The path of a blob that the plugin says is at `location`. */
const blobAt = (location: string, what = "blobs"): string =>
  `/v2/a/${what}/sha256:1234?status=307&location=${encodeURIComponent(location)}`;

test("content comes from the store as the plugin's answer, and no credentials go there", async () => {
  for (const place of ["/data", "/moved"]) {
    asked.length = 0;
    const path = blobAt(store + place + SIGNED);
    const response = await plugin.fetch(path, { headers: { ...SECRETS, "user-agent": "me/1", "x-mine": "1" } });
    const { status, url, headers } = response;
    assert.deepEqual([status, url], [200, `http://localhost${path}`]);
    assert.equal(headers.get("docker-content-digest"), "sha256:1234");
    assert.equal(headers.get("content-length"), String(CONTENT.length));
    assert.equal(headers.get("content-type"), "application/octet-stream");
    assert.deepEqual([headers.get("location"), headers.get("set-cookie")], [null, null]);
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(CONTENT));
    assert.equal(asked.length, place === "/data" ? 1 : 2);
    for (const { headers: told } of asked) {
      assert.deepEqual(Object.keys(told).filter((name) => name in SECRETS || name.startsWith("x-")), []);
      assert.deepEqual([told["user-agent"], told["accept-encoding"]], ["me/1", "identity"]);
    }
  }
});

test("a range, a head, and a body read with buffers of the reader's own", async () => {
  const path = blobAt(`${store}/data${SIGNED}`);
  const part = await plugin.fetch(path, { headers: { range: "bytes=5-9" } });
  assert.deepEqual([part.status, part.headers.get("content-range")], [206, `bytes 5-9/${CONTENT.length}`]);
  assert.ok(Buffer.from(await part.arrayBuffer()).equals(CONTENT.subarray(5, 10)));
  const head = await plugin.fetch(path, { method: "HEAD" });
  assert.deepEqual([head.body, head.headers.get("content-length")], [null, String(CONTENT.length)]);
  const whole = await plugin.fetch(path);
  const reader = (whole.body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(100_000));
    if (done) break;
    pieces.push(value);
  }
  assert.ok(Buffer.concat(pieces).equals(CONTENT));
});

test("a dispatcher gets the content, too", async () => {
  const url = `http://x${blobAt(`${store}/data${SIGNED}`)}`;
  const { statusCode, body } = await request(url, { dispatcher: new PluginDispatcher(plugin) });
  assert.equal(statusCode, 200);
  assert.ok(Buffer.from(await body.arrayBuffer()).equals(CONTENT));
});

test("a place of the platform's fetch that a plugin's has taken does not matter", async (t) => {
  t.mock.method(globalThis, "fetch", plugin.fetch);
  const response = await fetch(blobAt(`${store}/data${SIGNED}`));
  assert.equal((await response.arrayBuffer()).byteLength, CONTENT.length);
});

test("the network is asked for nothing that the plugin did not leave to its store, and nobody let it", async () => {
  asked.length = 0;
  const elsewhere = `${store}/data${SIGNED}`;
  const manual = await plugin.fetch(blobAt(elsewhere), { redirect: "manual" });
  assert.deepEqual([manual.status, manual.headers.get("location")], [307, elsewhere]);
  await assert.rejects(plugin.fetch(blobAt(elsewhere), { redirect: "error" }), TypeError);
  const unasked = await redirecting();
  const answers = [
    await plugin.fetch(blobAt(elsewhere), { method: "PUT" }),
    await plugin.fetch(blobAt(elsewhere, "manifests")),
    await plugin.fetch(blobAt("/data")),
    await unasked.fetch(blobAt(elsewhere)),
  ];
  for (const response of answers) assert.equal(((await response.json()) as { path: string }).path, "/data");
  await unasked.close();
  assert.deepEqual(asked, []);
});

test("what fails there names the store and the way out, and not the key", async (t) => {
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const nobody = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
  gone.close();
  await once(gone, "close");
  const cases: Record<string, [url: string, says: RegExp]> = {
    "nobody there": [nobody, /ECONNREFUSED/],
    denied: [`${store}/denied`, /it answered 403/],
    "round about": [`${store}/loop`, /more than 5 redirects/],
    "no location": [`${store}/nowhere`, /302 without a usable Location/],
    "another scheme": [`${store}/ftp`, /302 without a usable Location/],
    "cut short": [`${store}/cut`, /other side closed|terminated/],
  };
  for (const [name, [url, says]] of Object.entries(cases)) {
    await t.test(name, async () => {
      await assert.rejects(plugin.fetch(blobAt(url + SIGNED)).then((response) => response.arrayBuffer()), (error) => {
        assert.ok(error instanceof RedirectError);
        assert.deepEqual([error.code, error.retryable], ["UDIST_ERR_REDIRECT", true]);
        assert.match(error.message, says);
        assert.ok(error.message.includes(new URL(url).host) && error.message.includes("without followRedirects"));
        assert.ok(!error.message.includes("Signature"));
        return true;
      });
    });
  }
});

test("a signal ends it before the store's answer and in its midst", async () => {
  for (const place of ["/silent", "/stalls"]) {
    const aborting = new AbortController();
    const reason = new Error("no longer wanted");
    const arrived = once(server, "request");
    const { signal } = aborting;
    const fetched = plugin.fetch(blobAt(store + place), { signal }).then((response) => response.arrayBuffer());
    await Promise.all([arrived.then(() => aborting.abort(reason)), assert.rejects(fetched, reason)]);
  }
});

test("a body that is cancelled is fetched no further", async () => {
  const ended = new Promise<void>((resolve) => {
    server.once("request", (_, response: ServerResponse) => response.once("close", resolve));
  });
  const response = await plugin.fetch(blobAt(`${store}/stalls`));
  await response.body?.cancel();
  await ended;
});
