import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";

import { FormData as UndiciForm, request } from "undici";
import type { Dispatcher } from "undici";

import type { PluginDispatcher } from "../src/undici.js";
import { over } from "./dispatching.js";

// Each request goes to one server twice: by undici itself, and by the platform's fetch in a plugin's place.

type Options = Omit<Dispatcher.RequestOptions, "path" | "origin" | "body" | "method"> & { body?: unknown };

const dispatcher = over(fetch);
const server = createServer((asked, answer) => void tell(asked, answer));
let base: string;
let folder: string;
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), "udist-node-"));
  await writeFile(join(folder, "file"), "of a file: ü");
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });
});

/** Says what was asked, without a form's boundary, which is another each time. */
async function tell(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
  const type = asked.headers["content-type"] ?? "";
  const boundary = /boundary=(.*)/.exec(type)?.[1] ?? "no boundary";
  const body = await text(asked);
  answer.end(JSON.stringify([asked.url, type, body, asked.headers["x-number"]]).replaceAll(boundary, "…"));
}

async function said(path: string, options: Options, through?: PluginDispatcher): Promise<unknown> {
  const given = { method: "PUT", ...options, ...(through && { dispatcher: through }) } as Dispatcher.RequestOptions;
  const { body } = await request(`${base}${path}`, given);
  return body.json();
}

async function compare(path: string, options: () => Options): Promise<unknown> {
  const answer = await said(path, options(), dispatcher);
  assert.deepEqual(answer, await said(path, options()));
  return answer;
}

function form<T extends { append(name: string, value: string | Blob, filename?: string): void }>(empty: T): T {
  empty.append("name", "value");
  empty.append("file", new Blob(["content"], { type: "text/x" }), "name.txt");
  return empty;
}

function* letters(): Generator<string> {
  yield* ["a", "ü"];
}

async function* later(): AsyncGenerator<string | Uint8Array> {
  for (const piece of ["a", Buffer.from("b")]) yield await Promise.resolve(piece);
}

const BODIES: Record<string, () => unknown> = {
  nothing: () => undefined,
  "an empty string": () => "",
  "a string": () => "ü",
  "a Buffer": () => Buffer.from("abc"),
  "an ArrayBuffer": () => new TextEncoder().encode("abc").buffer,
  "a DataView": () => new DataView(new TextEncoder().encode("abc").buffer, 1, 1),
  "16-bit numbers": () => new Uint16Array([0x6161, 0x6262]),
  "a Blob": () => new Blob(["abc"], { type: "text/x" }),
  "a stream of strings": () => Readable.from(["a", "ü"]),
  "a stream of Buffers": () => Readable.from([Buffer.from("abc")]),
  "a file that is read as text": () => createReadStream(join(folder, "file"), "utf8"),
  "a web stream": () => new Blob(["abc"]).stream(),
  "a generator": letters,
  "an async generator": later,
  "undici's form": () => form(new UndiciForm()),
};

for (const [kind, body] of Object.entries(BODIES)) {
  test(`the body is ${kind}`, async () => {
    await compare("/", () => ({ body: body() }));
  });
}

test("the body is the platform's form, which undici itself does not take", async () => {
  const answer = await said("/", { body: form(new FormData()) }, dispatcher);
  assert.deepEqual(answer, await said("/", { body: form(new UndiciForm()) }));
});

test("what is no body is refused", async () => {
  for (const body of [5, {}, Readable.from([5])]) {
    await assert.rejects(said("/", { body }, dispatcher), { code: "UND_ERR_INVALID_ARG" });
  }
});

test("a body that fails fails the request with its own error", async () => {
  const error = new Error("its own");
  const failing = new Readable({ read: () => undefined });
  const asked = said("/", { body: failing }, dispatcher);
  failing.destroy(error);
  await assert.rejects(asked, error);
  const gone = createReadStream(join(folder, "gone"));
  await assert.rejects(said("/", { body: gone }, dispatcher), { code: "ENOENT" });
});

test("paths and queries are sent as they are", async () => {
  for (const path of ["//v2/", "/v2//a?b=c", "/?b=%20"]) {
    assert.equal((await compare(path, () => ({})) as string[])[0], path);
  }
  const query = { n: ["5", "6"], empty: "", text: "a b&ü", number: 7 };
  const [url] = (await compare("/list", () => ({ query }))) as string[];
  assert.equal(url, "/list?n=5&n=6&empty=&text=a%20b%26%C3%BC&number=7");
  await compare("/list", () => ({ query: {} }));
  for (const through of [dispatcher, undefined]) {
    await assert.rejects(said("/list?a=b", { query }, through), /Query params cannot be passed/);
  }
});

test("numbers are values of headers", async () => {
  const headers = { "x-number": 5 } as unknown as Record<string, string>;
  assert.equal((await compare("/", () => ({ headers })) as unknown[])[3], "5");
});
