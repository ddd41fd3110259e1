import { ReadStream } from "node:fs";
import { stringify } from "node:querystring";
import { Readable } from "node:stream";

import { errors } from "undici";
import type { Dispatcher } from "undici";

import type { Asked, Body, Sent } from "../request.js";

type Options = Dispatcher.DispatchOptions;
type Source = AsyncIterable<unknown> | Iterable<unknown>;

/** A request of undici's as one to send. What a body gives bit by bit goes through `bytesOf`. */
export function sentOf(
  options: Options,
  redirect: Asked["redirect"],
  bytesOf: (source: Source) => AsyncIterable<Uint8Array>,
): Sent {
  const url = urlOf(options);
  const given = headersOf(options.headers);
  const body = bodyOf(options.body ?? "", bytesOf);
  const { headers, body: content } = body === undefined ? { headers: given, body: null } : posted(url, given, body);
  const request = { method: options.method, url: url.href, headers, body: content, redirect, integrity: "" };
  return { request, body: fileIn(options.body) ?? body };
}

/** A file that the plugin may open itself. */
function fileIn(body: unknown): Body | undefined {
  return body instanceof ReadStream ? (body as Body & ReadStream) : undefined;
}

/** What the platform makes of a body, by a POST: it has no GET with a body, which undici has. */
function posted(url: URL, headers: Headers, body: Body): Request {
  return new Request(url, { method: "POST", headers, body, duplex: "half" });
}

function bodyOf(given: unknown, bytesOf: (source: Source) => AsyncIterable<Uint8Array>): Body | undefined {
  const whole = wholeOf(given);
  if (whole) return isEmpty(whole) ? undefined : whole;
  if (!isIterable(given)) {
    const forms = "a string, a Buffer, a Readable stream, an iterable, or an async iterable";
    throw new errors.InvalidArgumentError(`body must be ${forms}`);
  }
  return Readable.toWeb(Readable.from(bytesOf(given))) as ReadableStream<Uint8Array>;
}

/** A body that is a stream of Node's, or of a package that is like it. */
export function streamIn(body: unknown): Readable | undefined {
  const { pipe, on, destroy } = Object(body) as Partial<Record<"pipe" | "on" | "destroy", unknown>>;
  return [pipe, on, destroy].every((method) => typeof method === "function") ? (body as Readable) : undefined;
}

/** One piece of a body as bytes. */
export function bytesIn(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  if (typeof piece === "string") return Buffer.from(piece);
  if (ArrayBuffer.isView(piece)) return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  throw new errors.InvalidArgumentError(`a body's chunk must be a string, a Buffer or a view, not ${typeof piece}`);
}

/** The target is what was given, not what it would be relative to the origin: `//v2/` names no host. */
function urlOf({ origin = "http://localhost", path, query }: Options): URL {
  const absolute = /^https?:\/\//.test(path);
  if (!absolute && !path.startsWith("/")) {
    throw new errors.InvalidArgumentError("path must be an absolute URL or start with a slash");
  }
  if (query && /[?#]/.test(path)) {
    throw new Error('Query params cannot be passed when url already contains "?" or "#".');
  }
  const parameters = query ? stringify(query) : "";
  const target = parameters ? `${path}?${parameters}` : path;
  return new URL(absolute ? target : `${new URL(origin).origin}${target}`);
}

/** A body that is there as a whole; undefined for one that comes bit by bit. */
function wholeOf(body: unknown): Uint8Array<ArrayBuffer> | Blob | FormData | undefined {
  if (body instanceof Blob) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (typeof body === "string" || ArrayBuffer.isView(body)) return bytesIn(body) as Uint8Array<ArrayBuffer>;
  return isForm(body) ? formOf(body) : undefined;
}

function isEmpty(whole: Uint8Array | Blob | FormData): boolean {
  return whole instanceof Uint8Array && whole.length === 0;
}

function isForm(body: unknown): body is FormData {
  return Object.prototype.toString.call(body) === "[object FormData]";
}

/** The platform's own: a form of the package undici is of another class. */
function formOf(given: FormData): FormData {
  const form = new FormData();
  for (const [name, value] of given) {
    if (typeof value === "string") form.append(name, value);
    else form.append(name, value, value.name);
  }
  return form;
}

function isIterable(body: unknown): body is Source {
  return Symbol.asyncIterator in Object(body) || Symbol.iterator in Object(body);
}

/** Headers of all the forms that undici takes. */
function headersOf(given: Options["headers"]): Headers {
  const headers = new Headers();
  for (const [name, value] of pairsOf(given)) {
    for (const text of [value ?? []].flat()) headers.append(name, text);
  }
  return headers;
}

type Pair = readonly [string, string | readonly string[] | undefined];

function pairsOf(given: Options["headers"]): Iterable<Pair> {
  if (!given) return [];
  if (!Array.isArray(given)) return Symbol.iterator in given ? given : Object.entries(given);
  const flat = given;
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]] as const] : []));
}
