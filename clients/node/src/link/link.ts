import type { Readable, Writable } from "node:stream";

import type { Recorder } from "../trace/recorder.js";
import { Connection } from "../wire/connection.js";
import type { Code } from "../wire/generated/frame_pb.js";
import type { RequestInit } from "../wire/heads.js";
import { FrameReader } from "../wire/reader.js";
import type { Stream } from "../wire/stream.js";
import { Activity } from "./activity.js";
import { LinkClosed } from "./errors.js";
import { Exchange } from "./exchange.js";
import type { StreamControl } from "./exchange.js";
import type { PeerFiles } from "./files.js";
import { Hold } from "./hold.js";
import { Incoming } from "./incoming.js";
import { Output } from "./output.js";
import { Slots } from "./slots.js";
import { Waiters } from "./waiters.js";

/** How long the plugin may take no byte, or send none within a frame, in milliseconds. */
const STALLED = 120_000;
/** How long a plugin that reads no more may go on to say why: what it said before may be an answer. */
const LAST_WORDS = 5000;
const WATCH = 10_000;

export interface LinkOptions {
  /** Bounds what response windows may grow to, all together, in bytes. */
  readonly memory: number;
  /** Bounds the wait for a slot while responses are not read and nothing moves, in milliseconds. */
  readonly slotTimeout: number;
  /**
   * Finds out why the link is over; called once. The cause is undefined when the plugin has ended its output, a
   * `Refusal` when it has refused to start, and a `ConnectionFault` when it broke the protocol.
   */
  readonly explain: (cause: unknown) => Promise<unknown>;
  /** Told whether anything is under way that this process should stay for. */
  readonly hold: (held: boolean) => void;
  /** Records the frames that go each way. */
  readonly recorder?: Recorder | undefined;
}

/** One connection to a plugin, over its standard streams. */
export class Link implements StreamControl {
  readonly connection: Connection;
  readonly output: Output;
  /** Keeps this process alive while something is under way. */
  readonly hold: Hold;
  /** The files that the plugin has open, if it shares them and they could be opened so far. */
  files: PeerFiles | undefined;
  /** Why the link is over, once that is known: undefined before, anything else afterwards. */
  error: unknown;
  /** Settles once `error` is there. */
  readonly over: Promise<void>;
  readonly #exchanges = new Map<number, Exchange>(); // by their streams' ids
  readonly #incoming: Incoming;
  readonly #reader: FrameReader;
  readonly #waiting: Waiters;
  readonly #slots: Slots;
  readonly #activity = new Activity();
  readonly #watch = setInterval(() => this.#look(), WATCH).unref();
  #settleOver: () => void = () => undefined;
  #ending = false;
  #closing = false;

  constructor(
    private readonly source: Readable,
    sink: Writable,
    private readonly options: LinkOptions,
  ) {
    this.connection = new Connection(options.memory);
    const { recorder } = options;
    this.output = new Output(sink, recorder);
    this.hold = new Hold(options.hold);
    this.#waiting = new Waiters(this.hold);
    this.#slots = new Slots(this.connection, this.#exchanges, this.#activity, options.slotTimeout, this.hold);
    this.over = new Promise((resolve) => (this.#settleOver = resolve));
    this.#incoming = new Incoming(this.connection, this.#exchanges);
    this.#reader = new FrameReader(recorder ? recorder.receiving(this.#incoming) : this.#incoming);
    source.on("data", (chunk: Uint8Array) => this.#take(chunk));
    source.once("end", () => this.#takeEnd());
    source.once("close", () => this.#takeEnd()); // without an end, if somebody else holds a dead plugin's output open
    source.on("error", (error) => this.fail(error));
    sink.on("error", (error) => this.#writerFailed(error));
  }

  /** Whether the handshake is done. */
  get ready(): boolean {
    return this.connection.peer !== undefined;
  }

  /** Sends settings, and waits for the plugin's. Rejects with `error`. */
  async shakeHands(settings: Parameters<Connection["settings"]>[0]): Promise<void> {
    this.output.post(this.connection.settings(settings));
    await this.#waiting.until(() => this.ready || this.error !== undefined);
    if (this.error !== undefined) throw this.error as Error;
  }

  /** Sends a request's head, once there is a slot for it. Rejects with `NotSent`. */
  async open(head: RequestInit, end: boolean, signal?: AbortSignal): Promise<Exchange> {
    return this.#slots.take(() => this.#open(head, end), signal);
  }

  consume(stream: Stream, length: number): void {
    this.#activity.read = performance.now();
    this.connection.consume(stream, length);
    this.#flush();
  }

  reset(stream: Stream, code: Code, message: string): void {
    this.connection.reset(stream, code, message);
    this.#flush();
    this.#incoming.settle(stream.id);
    this.#wake();
  }

  /**
   * Opens no more streams, and waits for the open ones while frames keep coming or content is read, at most so many
   * milliseconds; those that are left are given up. Then the plugin's input ends.
   */
  async drain(patience: number, unread: number): Promise<void> {
    this.#closing = true;
    this.#slots.close(new LinkClosed());
    const begun = performance.now();
    const left = (): number => Math.min(begun + patience - performance.now(), this.#activity.left(unread, begun));
    await this.#waiting.until(() => this.#exchanges.size === 0 || this.error !== undefined, { left });
    for (const exchange of [...this.#exchanges.values()]) exchange.cancel(new LinkClosed());
    this.output.close(true);
  }

  /** Ends the link for the reason that `options.explain` makes of `cause`. */
  fail(cause: unknown): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#slots.pause();
    this.output.close(false);
    void this.hold.during(async () => this.end(await this.options.explain(cause)));
  }

  /** Ends the link at once: every open exchange fails with `error`. */
  end(error: unknown): void {
    if (this.error !== undefined) return;
    this.#ending = true;
    this.error = error;
    this.output.close(false);
    this.source.destroy();
    for (const [streamId, exchange] of this.#exchanges) {
      exchange.fail(error);
      this.connection.streams.delete(streamId);
    }
    this.#exchanges.clear();
    clearInterval(this.#watch);
    this.options.recorder?.close();
    this.#waiting.wake();
    this.#slots.close(error);
    this.shareNoFiles();
    this.#settleOver();
  }

  /** From now on, all content is sent. */
  shareNoFiles(): void {
    this.files?.close();
    this.files = undefined;
  }

  #open(head: RequestInit, end: boolean): Exchange {
    const { stream, frame } = this.connection.open(head, end);
    const exchange = new Exchange(this, this.hold, stream);
    this.#exchanges.set(stream.id, exchange);
    this.output.post(frame);
    return exchange;
  }

  #take(chunk: Uint8Array): void {
    if (this.#ending) return;
    this.#activity.heard = performance.now();
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#incoming.tell();
    this.#flush();
    this.#wake(); // whatever has come, a slot may be free
  }

  #wake(): void {
    this.#waiting.wake();
    this.#slots.wake();
  }

  #takeEnd(): void {
    try {
      this.#reader.end();
      this.fail(undefined);
    } catch (error) {
      this.fail(error);
    }
  }

  #flush(): void {
    if (this.connection.owesControl) this.output.post(...this.connection.takeControl());
  }

  #writerFailed(error: Error): void {
    this.output.close(false);
    if (this.#ending || this.#closing) return;
    const timer = setTimeout(() => this.fail(error), LAST_WORDS);
    void this.over.then(() => clearTimeout(timer));
  }

  /** Ends the link when the plugin has stopped in the middle of something. */
  #look(): void {
    const before = performance.now() - STALLED;
    const { since } = this.output;
    if (since !== undefined && since < before) {
      this.fail(new Error(`the plugin has read nothing for ${STALLED / 1000} seconds`));
    } else if (this.#reader.within && this.#activity.heard < before) {
      this.fail(new Error(`the plugin has sent nothing for ${STALLED / 1000} seconds in the middle of a frame`));
    }
  }
}
