import assert from "node:assert/strict";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";

import { spawn } from "../src/index.js";
import { Recorder } from "../src/trace/recorder.js";
import { FrameReader } from "../src/wire/reader.js";
import { dataHead } from "../src/wire/framing.js";
import { IN_MEMORY, inMemory, output, pattern, pushBlob, python } from "./helpers.js";
import { bytesOf, load } from "./vectors.js";
import type { Piece } from "./vectors.js";

interface Line {
  t?: number;
  from?: string;
  frame?: object;
  end?: string;
  program?: string;
}

const SECRET = "hunter2";
const PING = Buffer.from("00000000044a020807", "hex");
const SINK = { frame: () => undefined, dataHead: () => undefined, payload: () => undefined };

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "udist-trace-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function linesOf(path: string): Line[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}

/** What a trace holds after `use`, and what was warned of. */
function recorded(t: TestContext, use: (recorder: Recorder) => void, limit?: number): [Line[], string[]] {
  const name = join(folder(t), "trace");
  const warnings: string[] = [];
  const file = { descriptor: openSync(name, "wx"), name };
  const recorder = new Recorder(file, "/usr/bin/udist-plugin", (text) => warnings.push(text), limit);
  use(recorder);
  recorder.close();
  return [linesOf(name), warnings];
}

test("a frame is shown as its vector says, whoever sends it", async (t) => {
  for (const vector of load<{ name: string; bytes: Piece[]; trace: object }>("traces.json")) {
    await t.test(vector.name, (each) => {
      const [[, ...lines]] = recorded(each, (recorder) => {
        recorder.sent(bytesOf(vector.bytes));
        new FrameReader(recorder.receiving(SINK)).read(bytesOf(vector.bytes));
      });
      const shown = lines.map(({ from, frame }) => [from, frame]);
      assert.deepEqual(shown.slice(0, -1), [["caller", vector.trace], ["plugin", vector.trace]]);
    });
  }
});

test("payloads are skipped, and what is received is passed on", (t) => {
  const pieces: string[] = [];
  const [lines] = recorded(t, (recorder) => {
    for (const bytes of [PING, dataHead(1, 3, false), Buffer.from("ab"), Buffer.from("c"), PING]) recorder.sent(bytes);
    const reader = new FrameReader(recorder.receiving({ ...SINK, payload: (piece) => pieces.push(String(piece)) }));
    reader.read(Buffer.concat([dataHead(1, 1, true), Buffer.from("c"), PING]));
  });
  assert.equal(lines.length, 7);
  assert.deepEqual(pieces, ["c"]);
});

test("a push is recorded without secrets, printed and replayed", async (t) => {
  const place = folder(t);
  const trace = join(place, "trace.jsonl");
  const config = `${IN_MEMORY}${SECRET}: ${SECRET}\n`;
  const env = { REGISTRY_HTTP_SECRET: SECRET };
  const plugin = await spawn({ config, env, trace, log: () => undefined });
  const headers = { authorization: `Basic ${SECRET}`, cookie: SECRET };
  await (await plugin.fetch(`/v2/?token=${SECRET}`, { headers })).text();
  const digest = await pushBlob(plugin, "a", pattern(700_000));
  assert.equal((await (await plugin.fetch(`/v2/a/blobs/${digest}`)).arrayBuffer()).byteLength, 700_000);
  await plugin.close();
  assert.equal(statSync(trace).mode & 0o777, 0o600);
  assert.ok(!readFileSync(trace, "utf8").includes(SECRET));

  const shown = output(python(), "-m", "udist_plugin.testing.trace", trace);
  assert.match(shown, /^udist-node\/0\.1\.0 started /);
  assert.match(shown, new RegExp(`GET /v2/a/blobs/${digest} `));
  assert.match(shown, /\nThe connection was closed\.\n$/);
  writeFileSync(join(place, "udist.yml"), IN_MEMORY);
  const command = [python(), "-m", "udist_plugin", "--config", join(place, "udist.yml")];
  const replayed = output(python(), "-m", "udist_plugin.testing.trace", "--replay", trace, "--", ...command);
  assert.match(replayed, /\n4 exchanges: 2 the same, 2 different as expected, 0 different\n$/);
});

test("the environment names the file unless the option does", async (t) => {
  const place = folder(t);
  process.env.UDIST_TRACE = join(place, "environment");
  t.after(() => delete process.env.UDIST_TRACE);
  await (await inMemory({ trace: join(place, "option") })).close();
  await (await inMemory({ trace: "" })).close();
  assert.deepEqual(readdirSync(place), ["option"]);
  await (await inMemory()).close();
  assert.equal(linesOf(join(place, "environment")).at(-1)?.end, "closed");
});

test("no file is written over, and one that cannot be made is a warning", async (t) => {
  const trace = join(folder(t), "trace");
  const lines: string[] = [];
  const log = (line: string): void => {
    if (line.includes("trace")) lines.push(line);
  };
  for (const path of [trace, trace, join(trace, "nowhere")]) await (await inMemory({ trace: path, log })).close();
  assert.equal(linesOf(`${trace}.2`).at(-1)?.end, "closed");
  assert.deepEqual(lines, [
    `udist: ${trace} exists; the trace goes to ${trace}.2`,
    `udist: cannot write a trace: ENOTDIR: not a directory, open '${join(trace, "nowhere")}'`,
  ]);
});

test("a full disk ends the trace with one warning", () => {
  const warnings: string[] = [];
  const file = { descriptor: openSync("/dev/full", "w"), name: "trace" };
  const recorder = new Recorder(file, "", (text) => warnings.push(text));
  recorder.sent(PING);
  recorder.close();
  assert.deepEqual(warnings, ["the trace trace ends early: ENOSPC: no space left on device, write"]);
});

test("a trace has a limit", (t) => {
  const [lines] = recorded(t, (recorder) => Array.from({ length: 100 }, () => recorder.sent(PING)), 500);
  assert.equal(lines.at(-1)?.end, "limit");
  assert.ok(lines.length < 10);
});
