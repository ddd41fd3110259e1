import assert from "node:assert/strict";
import { test } from "node:test";

import { spawn, UdistError } from "../src/index.js";
import type { UdistErrorCode } from "../src/index.js";
import { encode } from "../src/wire/codec.js";
import { Code } from "../src/wire/generated/frame_pb.js";
import { misbehaving, output, python } from "./helpers.js";

type Misbehaviour = readonly [code: UdistErrorCode | "timeout", says: RegExp];

const CUT = /(?<!€)€{4096}(?!€)/; // as much as is repeated of a message that is too long

const AT_START: Record<string, Misbehaviour> = {
  exit: ["UDIST_ERR_DIED", /exit status 3; its standard error ends with:\na last word/],
  hang: ["UDIST_ERR_HANDSHAKE", /did not answer the handshake within 500 ms/],
  text: ["UDIST_ERR_STDOUT_TEXT", /standard output contained text: Welcome to the plugin!/],
  version: [
    "UDIST_ERR_VERSION",
    /the plugin \(misbehaving\/1\) speaks 2, this side 1 \(udist-node\/[\d.]+\); use a plugin and a client/,
  ],
  "refuse-version": ["UDIST_ERR_VERSION", /this side 2 \(udist-node\/[\d.]+\); use a plugin and a client/],
  refuse: ["UDIST_ERR_CONFIGURATION", /storage\.filesystem\.rootdirectory/],
  "long-refusal": ["UDIST_ERR_CONFIGURATION", CUT],
  "no-settings": ["UDIST_ERR_HANDSHAKE", /response before settings/],
};

const AT_REQUEST: Record<string, Misbehaviour> = {
  "late-text": ["UDIST_ERR_STDOUT_TEXT", /standard output contained text: Oops, a print/],
  "long-reset": ["UDIST_ERR_RESET", CUT],
  garbage: ["UDIST_ERR_PROTOCOL", /not a Frame/],
  oversized: ["UDIST_ERR_PROTOCOL", /exceeds the limit/],
  unopened: ["UDIST_ERR_PROTOCOL", /stream 7 was never opened/],
  "head-twice": ["UDIST_ERR_PROTOCOL", /a head on stream 1/],
  "bad-status": ["UDIST_ERR_RESET", /status 99/],
  credit: ["UDIST_ERR_PROTOCOL", /bytes of credit/],
  short: ["UDIST_ERR_RESET", /content-length is 1000/],
  truncated: ["UDIST_ERR_PROTOCOL", /ended within a frame, 990 bytes short/],
  "truncated-end": ["UDIST_ERR_PROTOCOL", /ended within a frame, 990 bytes short/],
  die: ["UDIST_ERR_DIED", /SIGKILL; its standard error ends with:\nabout to be killed/],
  "die-in-a-frame": ["UDIST_ERR_DIED", /SIGKILL; its standard error ends with:\nabout to be killed/],
  "ok-too-early": ["UDIST_ERR_RESET", /ended the stream before the response was complete/],
  half: ["timeout", /timeout/],
  mute: ["timeout", /timeout/],
  chatter: ["timeout", /timeout/],
  deaf: ["timeout", /timeout/],
};

test("every kind of misbehaviour is tried", () => {
  const source = "from udist_plugin.testing.misbehaving import KINDS; print(*KINDS)";
  const kinds = output(python(), "-c", source).trim().split(" ");
  assert.deepEqual(Object.keys({ ...AT_START, ...AT_REQUEST }).sort(), kinds.sort());
});

test("a bad start is a named error", async (t) => {
  for (const [kind, want] of Object.entries(AT_START)) {
    await t.test(kind, async () => {
      const startTimeout = kind === "hang" ? 500 : 20_000;
      await assert.rejects(spawn({ command: misbehaving(kind), startTimeout }), named(want));
    });
  }
});

test("a bad answer is a named error", async (t) => {
  for (const [kind, want] of Object.entries(AT_REQUEST)) {
    await t.test(kind, async () => {
      const plugin = await spawn({ command: misbehaving(kind), closeTimeout: 200 });
      const signal = AbortSignal.timeout(want[0] === "timeout" ? 500 : 20_000);
      const fetched = plugin.fetch("/v2/", { signal }).then((response) => response.text());
      await assert.rejects(fetched, named(want));
      await plugin.close().catch(() => undefined); // that it was killed is no news
    });
  }
});

test("a push to a plugin that reads nothing ends with its signal", async () => {
  const plugin = await spawn({ command: misbehaving("deaf"), closeTimeout: 200 });
  const signal = AbortSignal.timeout(500);
  const body = new Uint8Array(8 << 20);
  const pushes = Array.from({ length: 5 }, () => plugin.fetch("/v2/", { method: "PUT", body, signal }));
  const results = await Promise.allSettled([...pushes, plugin.fetch("/v2/", { signal })]);
  for (const result of results) {
    assert.equal(result.status, "rejected");
    assert.equal((result.reason as Error).name, "TimeoutError");
  }
  await plugin.close().catch(() => undefined); // as above
});

test("what comes after a plugin's death is the same error", async () => {
  const plugin = await spawn({ command: misbehaving("die") });
  await assert.rejects(plugin.fetch("/v2/").then((response) => response.text()));
  await assert.rejects(plugin.fetch("/v2/"), (error) => {
    assert.ok(error instanceof UdistError);
    assert.deepEqual([error.code, error.retryable, error.signal], ["UDIST_ERR_DIED", true, "SIGKILL"]);
    return error.stderr === "about to be killed";
  });
  assert.deepEqual(await plugin.exited, { code: null, signal: "SIGKILL" });
  await plugin.close();
});

test("a command that is not there says what to install", async () => {
  await assert.rejects(
    spawn({ command: ["/nonexistent/udist-plugin"] }),
    named(["UDIST_ERR_NOT_FOUND", /ENOENT; install it from a checkout \(pip install/]),
  );
});

test("a refused configuration names its key, and the exit status is there", async () => {
  const refused = spawn({ config: { version: 0.1, storage: { nonsense: {} } }, env: {} });
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof UdistError);
    assert.match(error.message, /storage/);
    return error.code === "UDIST_ERR_CONFIGURATION" && error.exitCode === 78;
  });
});

test("a plugin that is told to end before it is ready has not refused its configuration", async () => {
  const away = encode({ body: { case: "goAway", value: { code: Code.UNAVAILABLE, message: "SIGTERM" } } });
  const program = 'process.stdout.write(Buffer.from(process.argv[1], "hex")); process.stdin.resume()';
  const command = [process.execPath, "-e", program, Buffer.from(away).toString("hex")];
  await assert.rejects(spawn({ command }), named(["UDIST_ERR_DIED", /SIGTERM/]));
});

test("waiting for a plugin that hangs ends with the signal", async () => {
  const signal = AbortSignal.timeout(300);
  await assert.rejects(spawn({ command: misbehaving("hang"), signal }), { name: "TimeoutError" });
});

function named([code, says]: Misbehaviour): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, says);
    if (code === "timeout") return error.name === "TimeoutError";
    assert.ok(error instanceof UdistError);
    assert.equal(error.code, code);
    return true;
  };
}
