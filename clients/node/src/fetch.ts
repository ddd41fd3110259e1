import { getMaxListeners, setMaxListeners } from "node:events";
import { ReadStream } from "node:fs";
import { STATUS_CODES } from "node:http";
import { ReadableStream } from "node:stream/web";
import type { ReadableByteStreamController, UnderlyingByteSource } from "node:stream/web";

import {
  BodyError,
  ClosedError,
  GoingAwayError,
  PluginDiedError,
  RequestError,
  ResetError,
  SlotTimeoutError,
  UdistError,
} from "./errors.js";
import { fileBody } from "./file_body.js";
import { ExchangeReset, FileUnusable, LinkClosed, NoMoreStreams, NoSlot, NotSent } from "./link/errors.js";
import type { Exchange } from "./link/exchange.js";
import type { Link } from "./link/link.js";
import { sendContent } from "./link/sending.js";
import { fileOf } from "./link/sent_file.js";
import { follow, isRedirect } from "./redirects.js";
import { requestHead, requestOf } from "./request.js";
import type { Asked, Sent } from "./request.js";
import { finish, located, remember, textOf } from "./response.js";
import { fromStore, locationOf } from "./store.js";
import { LocalFault } from "./wire/errors.js";
import { Code } from "./wire/generated/frame_pb.js";
import type { File } from "./wire/generated/frame_pb.js";
import type { RequestInit as Head } from "./wire/heads.js";

type Fetch = typeof globalThis.fetch;

/** Statuses whose responses have no body (Fetch, section 2.2.3). */
const BODILESS = new Set([204, 205, 304]);
/** How many exchanges may share a signal before Node takes its listeners for a leak. */
const LISTENERS = 1500;

/** `fetch` over a link. With `stores`, what the registry leaves to its store is fetched there over the network. */
export async function fetchOver(link: Link, stores: boolean, ...[input, init]: Parameters<Fetch>): Promise<Response> {
  return sendOver(link, stores, { request: requestOf(input, init), body: init?.body }, signalOf(input, init));
}

/** What `fetchOver` does once it has a request; this may be one that the platform has no `Request` for. */
export async function sendOver(
  link: Link,
  stores: boolean,
  sent: Sent,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const send = (next: Sent): Promise<Response> => exchange(link, next, signal);
  const { request } = sent;
  const response = await send(sent);
  if (request.redirect === "manual" || !isRedirect(response)) return response;
  const location = stores && request.redirect === "follow" ? locationOf(request, response) : undefined;
  return location ? fromStore(request, response, location, signal) : follow(sent, response, send);
}

async function exchange(link: Link, { request, body }: Sent, signal: AbortSignal | undefined): Promise<Response> {
  let opened: Exchange | undefined;
  let file: Head["file"];
  try {
    signal?.throwIfAborted();
    const { head, length } = requestHead(request, body);
    file = link.files && (await fileOf(body, length));
    if (file) shareIn(head, file, length);
    else head.acceptFile = link.files !== undefined && request.method === "GET" && request.body === null;
    opened = await link.open(head, request.body === null || file !== undefined, signal);
    if (request.body && !file) void sendContent(link, opened, request.body, length);
    if (signal) abortable(opened, signal);
    const response = await responseOf(link, request, opened, signal);
    if (file && body instanceof ReadStream) body.destroy(); // as if it had been read to its end
    return response;
  } catch (error) {
    if (error instanceof FileUnusable || (file && refusesFile(error))) {
      link.shareNoFiles(); // so this happens once
      return exchange(link, { request, body }, signal);
    }
    if (!opened) request.body?.cancel(error).catch(() => undefined); // it is not wanted any more
    if (body instanceof ReadStream && !body.readableDidRead) body.destroy();
    throw explain(error, request.method);
  }
}

/** Has the plugin open the file of a request's content, whose length was declared unless it is undefined. */
function shareIn(head: Head, file: Head["file"], length: number | undefined): void {
  head.file = file;
  if (length !== undefined) return;
  head.fields = [...(head.fields ?? []), { name: "content-length", value: Buffer.from(String(file?.length)) }];
}

/** Whether the plugin could not open the file of a request. */
function refusesFile(error: unknown): boolean {
  return error instanceof ExchangeReset && error.unprocessed && error.code === Code.FAILED_PRECONDITION;
}

/** The signal that ends the request: that of `init`, where it has one or says that there is none. */
function signalOf(...[input, init]: Parameters<Fetch>): AbortSignal | undefined {
  if (init?.signal !== undefined) return init.signal ?? undefined;
  return input instanceof Request ? input.signal : undefined;
}

/** Lets the signal end the exchange, until there is nothing more to end. */
function abortable(exchange: Exchange, signal: AbortSignal): void {
  const abort = (): void => exchange.cancel(signal.reason);
  if (getMaxListeners(signal) < LISTENERS) setMaxListeners(LISTENERS, signal);
  signal.addEventListener("abort", abort, { once: true });
  exchange.onDone = () => signal.removeEventListener("abort", abort);
  if (signal.aborted) abort();
}

async function responseOf(
  link: Link,
  request: Asked,
  exchange: Exchange,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const head = await exchange.head();
  const bodiless = request.method === "HEAD" || BODILESS.has(head.status);
  if (bodiless) await exchange.end(); // a failure after the head would reach nobody: there is nothing to read
  const headers = new Headers();
  for (const field of head.fields) headers.append(...textOf(field));
  const content = (): ReadableStream<Uint8Array> =>
    head.file ? openedOf(link, exchange, head.file, signal) : bodyOf(exchange, request.method);
  const body = bodiless ? null : content();
  const statusText = STATUS_CODES[head.status] ?? "";
  return remember(located(new Response(body, { status: head.status, statusText, headers }), request.url), exchange);
}

/** The content of a response that is in a file, which ends the exchange. Throws `FileUnusable`. */
function openedOf(
  link: Link,
  exchange: Exchange,
  file: File,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  try {
    if (!link.files) throw new FileUnusable("no files are shared any more");
    const body = fileBody(link.files.open(file), file, signal);
    exchange.release();
    return body;
  } catch (error) {
    if (error instanceof FileUnusable) exchange.release(error);
    throw error;
  }
}

/** Gives up exchanges whose bodies were collected as garbage, unread: they would hold slots for ever. */
const forgotten = new FinalizationRegistry<Exchange>((exchange) =>
  exchange.cancel(new ClosedError("the response was not read")),
);

function bodyOf(exchange: Exchange, method: string): ReadableStream<Uint8Array> {
  const deliver = (controller: ReadableByteStreamController): boolean => {
    const piece = exchange.take();
    if (piece) controller.enqueue(piece);
    if (exchange.error !== undefined) controller.error(explain(exchange.error, method));
    else if (exchange.finished) finish(controller);
    else return piece !== undefined;
    return true;
  };
  const source: UnderlyingByteSource = {
    type: "bytes",
    pull: (controller) => (deliver(controller) ? undefined : exchange.until(() => deliver(controller))),
    cancel(reason: unknown) {
      exchange.cancel(reason ?? new ClosedError("the body was cancelled"));
    },
  };
  const body = new ReadableStream(source, { highWaterMark: 0 });
  if (!exchange.whole) forgotten.register(body, exchange); // a whole one holds nothing, and this costs
  return body;
}

/** An error of the link as one of this package; what is none of the link's own stays as it is. */
function explain(error: unknown, method: string): unknown {
  const unsent = error instanceof NotSent;
  const cause = unsent ? error.cause : error;
  if (cause instanceof PluginDiedError) {
    const { exitCode, signal, stderr } = cause;
    const retryable = unsent || idempotent(method);
    return new PluginDiedError(cause.message, { exitCode, signal, stderr, retryable, cause });
  }
  if (cause instanceof UdistError || cause instanceof BodyError) return cause;
  if (cause instanceof ExchangeReset) {
    const retryable = cause.unprocessed && cause.code !== Code.INVALID_ARGUMENT;
    return new ResetError(Code[cause.code], `the exchange was reset: ${cause.message}`, { retryable });
  }
  if (cause instanceof LinkClosed) return new ClosedError("the plugin was closed");
  if (cause instanceof NoMoreStreams) {
    return new GoingAwayError(`the plugin accepts no more requests: ${cause.message}`, { retryable: true });
  }
  if (cause instanceof NoSlot) return new SlotTimeoutError(cause.message, { retryable: true });
  if (cause instanceof LocalFault) return new RequestError(cause.message);
  return cause;
}

/** Whether a request may be repeated after the plugin began with it (RFC 9110, section 9.2.2). */
function idempotent(method: string): boolean {
  return ["GET", "HEAD", "PUT", "DELETE"].includes(method);
}
