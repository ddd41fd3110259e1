// Drives this client for udist_plugin.testing.callers, through the interface that its argument names.
// udist_plugin/docs/callers.md describes the lines that it reads and writes.

import { once } from "node:events";
import { createReadStream } from "node:fs";
import type { ReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

import { spawn } from "../../src/index.js";
import type { Plugin, SpawnOptions } from "../../src/index.js";
import { Exchange, pattern } from "./exchange.js";
import { FACES } from "./faces.js";
import type { Face, Sent } from "./faces.js";
import { reportFailed } from "./failure.js";
import { report, unquote } from "./lines.js";

type Words = readonly string[];
type Writer = WritableStreamDefaultWriter<Uint8Array>;

/** Carries out commands in their order. Only `start` waits for what it leads to. */
class Driver {
  #plugin: Plugin | undefined;
  readonly #exchanges = new Map<string, Exchange>();

  constructor(private readonly face: Face) {}

  async carryOut(command: string, words: Words): Promise<void> {
    switch (command) {
      case "start":
        return this.#start({ command: words });
      case "share":
        return this.#start({ command: words, files: true });
      case "close":
        void this.#close();
        return;
      case "exchange":
        return this.#exchange(words);
      case "open":
        this.#open(words);
        return;
      case "write":
      case "end":
      case "read":
      case "cancel":
        this.#goOn(command, words);
        return;
      default:
        report("unsupported", command);
    }
  }

  /** Waits until the plugin is ready. Before that, there is nothing to send requests with. */
  async #start(options: SpawnOptions): Promise<void> {
    this.#plugin = undefined;
    try {
      this.#plugin = await spawn(options);
    } catch (error) {
      reportFailed(error);
    }
  }

  async #close(): Promise<void> {
    await this.#plugin?.close().catch(console.error);
    report("closed");
  }

  async #exchange([id = "", method = "", target = "", length = "", ...fields]: Words): Promise<void> {
    const headers = fields.map(pairOf);
    const [count = "", offset] = length.split("@");
    if (offset !== undefined) headers.push(["content-length", count]);
    const content = async (): Promise<Sent["body"]> =>
      offset === undefined ? pattern(0, Number(count)) : fileWith(pattern(0, Number(count)), Number(offset));
    this.#begin(id, { method, target, headers, body: count === "-" ? null : await content() });
    this.#exchanges.get(id)?.read(Infinity);
  }

  #open([id = "", method = "", target = "", length = "", timeout = "", ...fields]: Words): void {
    const headers = fields.map(pairOf);
    if (/\d/.test(length)) headers.push(["content-length", length]);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const body = length === "-" ? null : readable;
    this.#begin(id, { method, target, headers, body }, Number(timeout), writable.getWriter());
  }

  #begin(id: string, request: Omit<Sent, "signal">, timeout = 0, content?: Writer): void {
    if (!this.#plugin) return; // why, was reported
    const aborting = new AbortController();
    const late = new DOMException(`more than ${timeout} ms`, "TimeoutError"); // as AbortSignal.timeout has it
    if (timeout > 0) setTimeout(() => aborting.abort(late), timeout);
    const answer = this.face(this.#plugin, { ...request, signal: aborting.signal });
    this.#exchanges.set(id, new Exchange(id, answer, aborting, content));
  }

  #goOn(command: "write" | "end" | "read" | "cancel", [id = "", ...words]: Words): void {
    const exchange = this.#exchanges.get(id);
    const count = words[0] === "*" ? Infinity : Number(words[0]);
    if (command === "end" && words.length > 0) report("unsupported", "trailers"); // no face takes any
    else if (command === "write" || command === "read") exchange?.[command](count);
    else exchange?.[command]();
  }
}

/** A file with content behind so many zeros, about to be read from there. */
async function fileWith(content: Uint8Array, offset: number): Promise<ReadStream> {
  const path = join(await mkdtemp(join(tmpdir(), "content-")), "file");
  await writeFile(path, Buffer.concat([Buffer.alloc(offset), content]));
  const file = createReadStream(path, { start: offset });
  await once(file, "open");
  await rm(dirname(path), { recursive: true });
  return file;
}

function pairOf(field: string): [string, string] {
  const colon = field.indexOf(":");
  return [field.slice(0, colon), field.slice(colon + 1)];
}

const face = FACES[process.argv[2] ?? ""];
if (!face) throw new Error(`the argument must be one of ${Object.keys(FACES).join(", ")}`);
const driver = new Driver(face);
for await (const line of createInterface({ input: process.stdin })) {
  const [command = "", ...words] = line.split(" ").map(unquote);
  await driver.carryOut(command, words);
}
process.exit();
