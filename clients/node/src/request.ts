import { isHopByHop } from "./wire/heads.js";
import type { RequestInit as Head } from "./wire/heads.js";
import { RequestError } from "./errors.js";
import { IMPLEMENTATION } from "./version.js";

export type Body = NonNullable<globalThis.RequestInit["body"]>;

/** Fields that are said elsewhere in a head, or answered by this library itself. */
const ELSEWHERE = new Set(["host", "expect", "content-length"]);

/** A request's head as it travels, and the declared length of its content. */
export function requestHead(request: Request, body: Body | null | undefined): { head: Head; length?: number } {
  if (request.integrity) throw new RequestError("integrity is not checked here: check the content's digest");
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
function contentLength(request: Request, body: Body | null | undefined): number | undefined {
  const given = request.headers.get("content-length");
  if (given !== null) {
    if (!/^\d{1,15}$/.test(given)) throw new RequestError(`content-length ${given} is not one number`);
    return Number(given);
  }
  if (request.body === null) return ["POST", "PUT", "PATCH"].includes(request.method) ? 0 : undefined;
  if (typeof body === "string") return Buffer.byteLength(body);
  if (body instanceof URLSearchParams) return Buffer.byteLength(body.toString());
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  if (body instanceof Blob) return body.size;
  return undefined;
}
