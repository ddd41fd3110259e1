import type { IncomingHttpHeaders } from "node:http";

import { Dispatcher, errors } from "undici";

import type { Plugin } from "./index.js";
import { Bound } from "./undici/bound.js";
import { trailersOf } from "./response.js";
import { bytesIn, sentOf, streamIn } from "./undici/request.js";

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

/** An undici `Dispatcher` for a plugin: pass it to `undici.request`, `undici.fetch` and whatever else takes one. */
export class PluginDispatcher extends Dispatcher {
  constructor(private readonly plugin: Plugin) {
    super();
  }

  override dispatch(options: Options, handler: Handler): boolean {
    void new Exchange(this.plugin, options, handler).run();
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
  rawTrailers: string[] = [];
  readonly #earlier: EarlierHandler;
  readonly #aborting = new AbortController();
  #headers: Bound | undefined;
  #body: Bound | undefined;
  #producing = false;
  #resume: () => void = () => undefined;

  constructor(
    private readonly plugin: Plugin,
    private readonly options: Options,
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
    this.#aborting.abort(reason ?? reasonOf(this.options) ?? new errors.RequestAbortedError());
    this.#resume();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#body?.renew();
    this.#resume();
  }

  async run(): Promise<void> {
    const stream = streamIn(this.options.body);
    stream?.on("error", (error) => this.abort(error)); // it may fail before anybody reads it
    try {
      this.#begin();
      const response = await this.#send();
      this.#head(response);
      await this.#content(response);
      this.#end(trailersOf(response));
    } catch (error) {
      if (this.handler.onRequestStart) this.handler.onResponseError?.(this, error as Error);
      else this.#earlier.onError?.(error as Error);
    } finally {
      this.#headers?.end();
      this.#body?.end();
      stream?.destroy(); // as undici does with what it has not read to its end
    }
  }

  #begin(): void {
    if (this.handler.onRequestStart) this.handler.onRequestStart(this, {});
    else this.#earlier.onConnect?.((error) => this.abort(error));
  }

  async #send(): Promise<Response> {
    this.#headers = new Bound("headersTimeout", this.options);
    this.#body = new Bound("bodyTimeout", this.options);
    const redirect = this.plugin.followRedirects ? "follow" : "manual"; // over the network a handler cannot go on
    const sent = sentOf(this.options, redirect, (source) => this.#bytesOf(source));
    this.#headers.start(() => {
      if (!this.#producing) this.abort(new errors.HeadersTimeoutError()); // a slow body is not the registry's
    });
    const response = await this.plugin.send(sent, this.#aborting.signal);
    this.#headers.end();
    return response;
  }

  /** The pieces of the request's body; each that goes on is a sign of life. */
  async *#bytesOf(source: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<Uint8Array, void> {
    try {
      this.#producing = true;
      for await (const piece of source) {
        const bytes = bytesIn(piece);
        this.#producing = false;
        this.#headers?.renew();
        yield bytes;
        this.#producing = true;
      }
    } catch (error) {
      if (this.#producing) this.abort(error as Error); // the very error, as undici has it; else it is not wanted
      throw error;
    } finally {
      this.#producing = false;
      this.#headers?.renew();
    }
  }

  #head({ status, statusText, headers }: Response): void {
    this.rawHeaders = [...headers].flat().map((text) => Buffer.from(text, "latin1"));
    if (this.handler.onRequestStart) {
      this.handler.onResponseStart?.(this, status, fieldsOf(headers), statusText);
    } else {
      const going = this.#earlier.onHeaders?.(status, this.rawHeaders, () => this.resume(), statusText);
      this.paused = going === false;
    }
  }

  async #content({ body }: Response): Promise<void> {
    this.#body?.start(() => {
      if (!this.paused) this.abort(new errors.BodyTimeoutError());
    });
    for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
      this.#body?.renew();
      await this.#resumed();
      this.#data(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    }
    await this.#resumed();
  }

  #data(piece: Buffer): void {
    if (this.handler.onRequestStart) this.handler.onResponseData?.(this, piece);
    else if (this.#earlier.onData?.(piece) === false) this.pause();
  }

  #end(trailers: readonly [string, string][]): void {
    this.rawTrailers = trailers.flat();
    if (this.handler.onRequestStart) this.handler.onResponseEnd?.(this, fieldsOf(trailers));
    else this.#earlier.onComplete?.(this.rawTrailers);
  }

  async #resumed(): Promise<void> {
    while (this.paused && !this.aborted) await new Promise<void>((resolve) => (this.#resume = resolve));
    this.#aborting.signal.throwIfAborted();
  }
}

/** Why a request's signal was aborted, which undici does not pass on once there is a response. */
function reasonOf({ signal }: Options & { readonly signal?: unknown }): unknown {
  return signal instanceof AbortSignal ? signal.reason : undefined;
}

/** Fields as undici gives them: what comes more than once, a cookie, is a list. */
function fieldsOf(headers: Iterable<[string, string]>): IncomingHttpHeaders {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of headers) {
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(fields);
}
