import { isHopByHop } from "./wire/heads.js";
import type { RequestInit as Head } from "./wire/heads.js";
import { RequestError } from "./errors.js";
import { IMPLEMENTATION } from "./version.js";

export type Body = NonNullable<globalThis.RequestInit["body"]>;

/** What is looked at of a `Request`. */
export type Asked = Pick<Request, "method" | "url" | "headers" | "body" | "redirect" | "integrity">;

/** A request, and its body as it was given. */
export interface Sent {
  readonly request: Asked;
  readonly body: Body | null | undefined;
}

/** What `init` may say of a simple request; its signal is seen to elsewhere. */
const SIMPLE = new Set(["method", "headers", "signal"]);
/** Fields that are said elsewhere in a head, or answered by this library itself. */
const ELSEWHERE = new Set(["expect", "content-length"]);

/**
 * What the platform makes of its arguments, but without a signal. A GET or HEAD of which nothing more is said needs no
 * `Request`: that, with a signal of its own, costs a tenth of a small exchange.
 */
export function requestOf(...[input, init]: Parameters<typeof globalThis.fetch>): Asked {
  const url = typeof input === "string" && input.startsWith("/") ? `http://localhost${input}` : input;
  if (init instanceof Request) return new Request(new Request(url, init), { signal: null });
  const simple = url instanceof Request ? undefined : simpleRequest(url, init);
  return simple ?? new Request(url, init?.signal ? { ...init, signal: null } : init);
}

/** Undefined where there is more to it, or something that the platform refuses. */
function simpleRequest(at: string | URL, init: RequestInit = {}): Asked | undefined {
  const { method = "GET", headers } = init;
  const plain = Object.getPrototypeOf(init) === Object.prototype && Object.keys(init).every((name) => SIMPLE.has(name));
  if (!plain || (method !== "GET" && method !== "HEAD") || !URL.canParse(String(at))) return undefined;
  const { href, username, password } = new URL(at);
  if (username || password) return undefined;
  return { method, url: href, headers: new Headers(headers), body: null, redirect: "follow", integrity: "" };
}

/** A request's head as it travels, and the declared length of its content. */
export function requestHead(request: Asked, body: Body | null | undefined): { head: Head; length?: number } {
  if (request.integrity) throw new RequestError("the option integrity is not supported; verify the digest yourself");
  const url = new URL(request.url);
  const length = contentLength(request, body);
  const fields = [...fieldsOf(request.headers)];
  if (!request.headers.has("accept")) fields.push(field("accept", "*/*"));
  if (!request.headers.has("user-agent")) fields.push(field("user-agent", IMPLEMENTATION));
  if (length !== undefined) fields.push(field("content-length", String(length)));
  const head = {
    method: request.method,
    scheme: url.protocol.slice(0, -1),
    authority: url.host,
    target: url.pathname + url.search,
    fields,
  };
  return length !== undefined && request.body ? { head, length } : { head };
}

function* fieldsOf(headers: Headers): Iterable<ReturnType<typeof field>> {
  const nominated = new Set((headers.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase()));
  for (const [name, value] of headers) {
    if (!ELSEWHERE.has(name) && !isHopByHop(name) && !nominated.has(name)) yield field(name, value);
  }
}

function field(name: string, value: string): { name: string; value: Uint8Array } {
  return { name, value: Buffer.from(value, "latin1") };
}

/** What to declare; undefined if the length is not known, or the method needs none (RFC 9110, section 8.6). */
function contentLength(request: Asked, body: Body | null | undefined): number | undefined {
  const given = request.headers.get("content-length");
  if (given !== null) {
    if (!/^\d{1,15}$/.test(given)) throw new RequestError(`content-length ${given} is not a number`);
    return Number(given);
  }
  if (request.body === null) return ["POST", "PUT", "PATCH"].includes(request.method) ? 0 : undefined;
  if (typeof body === "string") return Buffer.byteLength(body);
  if (body instanceof URLSearchParams) return Buffer.byteLength(body.toString());
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  if (body instanceof Blob) return body.size;
  return undefined;
}
