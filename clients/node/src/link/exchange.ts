import { Code } from "../wire/generated/frame_pb.js";
import type { Field, Response } from "../wire/generated/frame_pb.js";
import type { Stream } from "../wire/stream.js";
import { LinkClosed } from "./errors.js";
import type { FileUnusable } from "./errors.js";
import type { Hold } from "./hold.js";
import { Signal } from "./signal.js";

/** What an exchange tells the plugin about its stream. */
export interface StreamControl {
  /** The reader of `stream` has read so many bytes. */
  consume(stream: Stream, length: number): void;
  /** Gives up on `stream`, and stops the plugin's work on it. */
  reset(stream: Stream, code: Code, message: string): void;
}

/** One request and its response, over a link. The request's content is sent by `sendContent`. */
export class Exchange {
  response: Response | undefined;
  /** The response's, once it has ended. */
  trailers: readonly Field[] = [];
  /** Why the exchange failed. */
  error: unknown;
  /** Called once, when nothing more is to come of the exchange. */
  onDone: (() => void) | undefined;
  /** Called when the rest of the request turns out not to be wanted. */
  onUnwanted: (() => void) | undefined;
  readonly sending = new Signal();
  #pieces: Uint8Array[] = [];
  #settled = false;
  #look: (() => void) | undefined;
  #pending = 0; // bytes of a payload that is under way

  constructor(
    private readonly control: StreamControl,
    private readonly hold: Hold,
    readonly stream: Stream,
  ) {}

  /** The response's head, once it has come. */
  async head(): Promise<Response> {
    await this.until(() => this.error !== undefined || this.response !== undefined);
    if (this.response && this.error === undefined) return this.response;
    throw this.error as Error;
  }

  /** Waits for the end of a response that has no content; what comes all the same is dropped. */
  async end(): Promise<void> {
    await this.until(() => {
      while (this.take());
      return this.error !== undefined || this.finished;
    });
    if (this.error !== undefined) throw this.error as Error;
  }

  /** Settles once `ready`, which is asked whenever something has come: one waits at a time. */
  async until(ready: () => boolean): Promise<void> {
    if (ready()) return;
    this.hold.add(1);
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (!ready()) return;
        this.#look = undefined;
        resolve();
      };
    });
    this.hold.add(-1);
  }

  /** The next piece of content that has come, whose memory is then the taker's. */
  take(): Uint8Array | undefined {
    const piece = this.#pieces.shift();
    if (piece) this.control.consume(this.stream, piece.length);
    if (this.finished) this.#done();
    return piece;
  }

  /** Whether all of the response has come and was taken. */
  get finished(): boolean {
    return this.whole && this.#pieces.length === 0;
  }

  /** Whether content has arrived that nobody is reading. */
  get unread(): boolean {
    return this.#pieces.length > 0 && !this.#look;
  }

  /** Whether nothing more of the request is to be sent. */
  get unwanted(): boolean {
    return this.error !== undefined || this.stream.ended || this.stream.reset !== undefined;
  }

  /** Gives up: `reason` is what whoever waits is told, and the plugin stops its work. */
  cancel(reason: unknown): void {
    this.#reset(reason, isTimeout(reason) ? Code.DEADLINE_EXCEEDED : Code.CANCELLED);
  }

  /** Ends an exchange whose content is in a file, which is open, or cannot be opened because of a `problem`. */
  release(problem?: FileUnusable): void {
    if (problem) this.#reset(problem, Code.FAILED_PRECONDITION, problem.message);
    else this.#reset(new LinkClosed(), Code.OK_UNSPECIFIED);
  }

  /** The exchange has failed by itself; what came whole before stays. */
  fail(error: unknown): void {
    if (this.error !== undefined || (this.whole && !this.stream.reset)) return;
    this.error = error;
    this.#pieces = [];
    this.notify();
    this.#done();
  }

  /** Whether all of the response has come. The last frame's head ends the stream, its payload may be under way. */
  get whole(): boolean {
    return this.stream.ended && this.#pending === 0;
  }

  /** So many bytes of content follow. */
  expect(length: number): void {
    this.#pending = length;
  }

  /** A piece of content; its memory goes to the reader. */
  put(piece: Uint8Array): void {
    this.#pending -= piece.length;
    if (this.error !== undefined) return;
    this.#pieces.push(piece);
  }

  notify(): void {
    if (this.unwanted) this.onUnwanted?.();
    if (this.finished) this.#done();
    this.#look?.();
    this.sending.notify();
  }

  #reset(reason: unknown, code: Code, message = ""): void {
    if (this.error !== undefined || (this.#settled && this.stream.done)) return;
    this.error = reason;
    this.#pieces = [];
    this.control.reset(this.stream, code, message);
    this.notify();
    this.#done();
  }

  #done(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.onDone?.();
  }
}

/** Whether a signal of `AbortSignal.timeout` has this reason. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}
