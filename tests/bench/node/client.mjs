// Moves content between a registry and this process, by `fetch`, and prints as JSON what each round took:
// node client.mjs OPTIONS, where OPTIONS is JSON with the package's path, the peers, what to measure and how often.

import { createReadStream, readFileSync } from "node:fs";
import { open } from "node:fs/promises";

const { library, peers, measurement, rounds, file, size, digest, count } = JSON.parse(process.argv[2]);

/** A peer's fetch, the base of its URLs, its process, and how to be done with it. */
async function connect(peer) {
  if (peer.url) {
    const { origin, hash } = new URL(peer.url);
    return { fetch: globalThis.fetch, base: origin, pid: hash.slice(1), close: () => undefined };
  }
  const { spawn } = await import(library);
  const plugin = await spawn({ config: peer.config, env: {}, files: true });
  return { fetch: plugin.fetch, base: "http://localhost", pid: plugin.pid, close: () => plugin.close() };
}

/** The processor time in seconds, user and system, that this process and a registry have used so far (Linux). */
function processor(pid) {
  const own = process.cpuUsage();
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /s, "").split(" ");
  const [user, system] = fields.slice(11, 13).map(Number); // in hundredths of a second
  return (own.user + own.system) / 1e6 + (user + system) / 100;
}

/** Pushes from a stream that hides its file. */
async function push(peer) {
  const handle = await open(file);
  try {
    return await put(peer, inPieces(handle));
  } finally {
    await handle.close();
  }
}

const pushFile = (peer) => put(peer, createReadStream(file, { highWaterMark: 1 << 20 }));

async function put({ fetch, base }, body) {
  const begun = await fetch(`${base}/v2/bench/blob/blobs/uploads/`, { method: "POST" });
  const url = new URL(begun.headers.get("location"), base);
  url.searchParams.set("digest", digest);
  const headers = { "content-length": String(size), "content-type": "application/octet-stream" };
  const started = performance.now();
  const pushed = await fetch(url, { method: "PUT", headers, body, duplex: "half" });
  const took = performance.now() - started;
  if (pushed.status !== 201) throw new Error(`${pushed.status}: ${await pushed.text()}`);
  return took;
}

/** The file's content in pieces of 1 MiB, each with memory of its own. */
function inPieces(handle) {
  let position = 0;
  return new ReadableStream(
    {
      type: "bytes",
      async pull(controller) {
        const { bytesRead, buffer } = await handle.read(new Uint8Array(1 << 20), 0, 1 << 20, position);
        if (bytesRead === 0) return controller.close();
        position += bytesRead;
        controller.enqueue(buffer.subarray(0, bytesRead));
      },
    },
    { highWaterMark: 0 },
  );
}

async function forget({ fetch, base }) {
  const deleted = await fetch(`${base}/v2/bench/blob/blobs/${digest}`, { method: "DELETE" });
  await deleted.text();
}

async function pull({ fetch, base }) {
  const started = performance.now();
  const response = await fetch(`${base}/v2/bench/blob/blobs/${digest}`);
  let total = 0;
  for await (const chunk of response.body) total += chunk.length;
  if (total !== size) throw new Error(`${response.status}: ${total} bytes of ${size}`);
  return performance.now() - started;
}

async function manifest({ fetch, base }) {
  const times = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    const response = await fetch(`${base}/v2/bench/blob/manifests/v1`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
    });
    const text = await response.text();
    times.push(performance.now() - started);
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

const measure = { push, "push from a file": pushFile, pull, manifest }[measurement];
const connected = await Promise.all(peers.map(connect));
const results = peers.map(() => ({ seconds: [], processor: [] }));
for (let round = 0; round <= rounds; round++) {
  for (const [i, peer] of connected.entries()) {
    const before = processor(peer.pid);
    const took = await measure(peer);
    if (round > 0) {
      // the first is to warm up
      results[i].seconds.push(took / 1000);
      results[i].processor.push(processor(peer.pid) - before);
    }
    if (measurement.startsWith("push") && round < rounds) await forget(peer);
  }
}
for (const peer of connected) await peer.close();
console.log(JSON.stringify({ results, peak: process.resourceUsage().maxRSS * 1024 }));
