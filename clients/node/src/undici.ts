import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";

import { Dispatcher } from "undici";

import type { Plugin } from "./index.js";

type Handler = Dispatcher.DispatchHandler;
type Options = Dispatcher.DispatchOptions;

/** A handler by the names that undici's own `request` and `fetch` still use. */
interface EarlierHandler {
  onConnect?(abort: (error?: Error) => void): void;
  onHeaders?(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean;
  onData?(piece: Buffer): boolean;
  onComplete?(trailers: string[]): void;
  onError?(error: Error): void;
}

/** A plugin as a `Dispatcher` of undici, for `undici.request`, `undici.fetch` and whatever else takes one. */
export class PluginDispatcher extends Dispatcher {
  constructor(private readonly plugin: Plugin) {
    super();
  }

  override dispatch(options: Options, handler: Handler): boolean {
    void new Exchange(this.plugin, handler).run(options);
    return true;
  }

  /** Closes the plugin. */
  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | undefined {
    return settled(this.plugin.close(), callback);
  }

  /** Destroys the plugin. */
  override destroy(error?: Error | null): Promise<void>;
  override destroy(callback: () => void): void;
  override destroy(error: Error | null, callback: () => void): void;
  override destroy(error?: Error | null | (() => void), callback?: () => void): Promise<void> | undefined {
    if (typeof error === "function") return settled(this.plugin.destroy(), error);
    return settled(this.plugin.destroy(error ?? undefined), callback);
  }
}

function settled(done: Promise<void>, callback?: () => void): Promise<void> | undefined {
  if (!callback) return done;
  done.then(callback, callback);
  return undefined;
}

/** One request, told to a handler: by undici's present names where it has them, else by those of before. */
class Exchange implements Dispatcher.DispatchController {
  paused = false;
  rawHeaders: Buffer[] = [];
  readonly #earlier: EarlierHandler;
  readonly #aborting = new AbortController();
  #resume: () => void = () => undefined;

  constructor(
    private readonly plugin: Plugin,
    private readonly handler: Handler,
  ) {
    this.#earlier = handler;
  }

  get aborted(): boolean {
    return this.#aborting.signal.aborted;
  }

  get reason(): Error | null {
    return this.aborted ? (this.#aborting.signal.reason as Error) : null;
  }

  abort(reason?: Error): void {
    this.#aborting.abort(reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#resume();
  }

  async run(options: Options): Promise<void> {
    try {
      this.#begin();
      const { url, init } = requestOf(options);
      const redirect = this.plugin.followRedirects ? "follow" : "manual"; // over the network a handler cannot go on
      const response = await this.plugin.fetch(url, { ...init, redirect, signal: this.#aborting.signal });
      this.#head(response);
      for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        await this.#resumed();
        this.#data(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
      }
      await this.#resumed();
      if (this.handler.onRequestStart) this.handler.onResponseEnd?.(this, {});
      else this.#earlier.onComplete?.([]);
    } catch (error) {
      if (this.handler.onRequestStart) this.handler.onResponseError?.(this, error as Error);
      else this.#earlier.onError?.(error as Error);
    }
  }

  #begin(): void {
    if (this.handler.onRequestStart) this.handler.onRequestStart(this, {});
    else this.#earlier.onConnect?.((error) => this.abort(error));
  }

  #head({ status, statusText, headers }: Response): void {
    this.rawHeaders = [...headers].flat().map((text) => Buffer.from(text, "latin1"));
    if (this.handler.onRequestStart) {
      const fields = Object.fromEntries(headers) as IncomingHttpHeaders;
      this.handler.onResponseStart?.(this, status, fields, statusText);
    } else {
      const going = this.#earlier.onHeaders?.(status, this.rawHeaders, () => this.resume(), statusText);
      this.paused = going === false;
    }
  }

  #data(piece: Buffer): void {
    if (this.handler.onRequestStart) this.handler.onResponseData?.(this, piece);
    else if (this.#earlier.onData?.(piece) === false) this.pause();
  }

  async #resumed(): Promise<void> {
    while (this.paused && !this.aborted) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
        this.#aborting.signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    this.#aborting.signal.throwIfAborted();
  }
}

function requestOf({ origin, path, method, query, headers, body }: Options): { url: URL; init: RequestInit } {
  const url = new URL(path, origin ?? "http://localhost");
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) url.searchParams.append(name, String(value));
  const init: RequestInit = { method, headers: headersOf(headers) };
  if (body === null || body === undefined) return { url, init };
  const whole = typeof body === "string" || body instanceof Uint8Array || body instanceof FormData;
  if (whole) return { url, init: { ...init, body: body as Uint8Array<ArrayBuffer> } };
  const stream = Readable.toWeb(body instanceof Readable ? body : Readable.from(body));
  return { url, init: { ...init, body: stream as ReadableStream<Uint8Array>, duplex: "half" } };
}

/** Headers of all the forms that undici takes. */
function headersOf(given: Options["headers"]): Headers {
  const headers = new Headers();
  for (const [name, value] of pairsOf(given)) {
    for (const text of typeof value === "string" ? [value] : (value ?? [])) headers.append(name, text);
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
