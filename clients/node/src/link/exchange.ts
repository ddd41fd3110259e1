import { Code } from "../wire/generated/frame_pb.js";
import type { Response } from "../wire/generated/frame_pb.js";
import type { Stream } from "../wire/stream.js";
import type { Link } from "./link.js";
import { Signal } from "./signal.js";

/** One request and its response, over a link. The request's content is sent by `sendContent`. */
export class Exchange {
  response: Response | undefined;
  /** Why the exchange failed. */
  error: unknown;
  /** Called once, when nothing more is to come of the exchange. */
  onDone: (() => void) | undefined;
  /** Called when the rest of the request turns out not to be wanted. */
  onUnwanted: (() => void) | undefined;
  readonly sending = new Signal();
  readonly #reading = new Signal();
  #pieces: Uint8Array[] = [];
  #settled = false;

  constructor(
    private readonly link: Link,
    readonly stream: Stream,
  ) {}

  /** The response's head, once it has come. */
  async head(): Promise<Response> {
    for (;;) {
      if (this.error !== undefined) throw this.error as Error;
      if (this.response) return this.response;
      await this.#reading.wait();
    }
  }

  /** The next piece of content, whose memory is the reader's; undefined at the end. One may read at a time. */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece) {
        this.link.consume(this.stream, piece.length);
        if (this.#pieces.length === 0 && this.stream.ended) this.#done();
        return piece;
      }
      if (this.error !== undefined) throw this.error as Error;
      if (this.stream.ended) {
        this.#done();
        return undefined;
      }
      await this.#reading.wait();
    }
  }

  /** Whether nothing more of the request is to be sent. */
  get unwanted(): boolean {
    return this.error !== undefined || this.stream.ended || this.stream.reset !== undefined;
  }

  /** Gives up: `reason` is what whoever waits is told, and the plugin stops its work. */
  cancel(reason: unknown, code = Code.CANCELLED, message = ""): void {
    if (this.error !== undefined || (this.#settled && this.stream.done)) return;
    this.error = reason;
    this.#pieces = [];
    this.link.reset(this.stream, code, message);
    this.notify();
    this.#done();
  }

  /** The exchange has failed by itself; what came whole before stays. */
  fail(error: unknown): void {
    if (this.error !== undefined || (this.stream.ended && !this.stream.reset)) return;
    this.error = error;
    this.#pieces = [];
    this.notify();
    this.#done();
  }

  /** A piece of content; its memory goes to the reader. */
  put(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  notify(): void {
    if (this.unwanted) this.onUnwanted?.();
    this.#reading.notify();
    this.sending.notify();
  }

  #done(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.onDone?.();
  }
}
