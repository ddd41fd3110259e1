import type { Readable, Writable } from "node:stream";

import { Connection } from "../wire/connection.js";
import { StreamFault } from "../wire/errors.js";
import type { DataHead } from "../wire/framing.js";
import { Code } from "../wire/generated/frame_pb.js";
import type { Frame, GoAway } from "../wire/generated/frame_pb.js";
import type { RequestInit } from "../wire/heads.js";
import { FrameReader } from "../wire/reader.js";
import { receive, receiveData } from "../wire/receiving.js";
import type { Stream } from "../wire/stream.js";
import { ExchangeReset, LinkClosed, NoMoreStreams, NotSent, Refusal } from "./errors.js";
import { Exchange } from "./exchange.js";
import { Output } from "./output.js";

/** How long the plugin may take no byte, or send none within a frame, in milliseconds. */
const STALLED = 120_000;
/** How long a plugin that reads no more may go on to say why: what it said before may be an answer. */
const LAST_WORDS = 5000;
const WATCH = 10_000;

export interface LinkOptions {
  /** Bounds what response windows may grow to, all together, in bytes. */
  readonly memory: number;
  /**
   * Finds out why the link is over; called once. The cause is undefined when the plugin has ended its output, a
   * `Refusal` when it has refused to start, and a `ConnectionFault` when it broke the protocol.
   */
  readonly explain: (cause: unknown) => Promise<Error>;
  /** Told whether anything is under way that this process should stay for. */
  readonly hold: (held: boolean) => void;
}

interface Wait {
  /** Milliseconds. */
  readonly patience?: number | undefined;
  /** Its end lets `ready` be asked again. */
  readonly signal?: AbortSignal | undefined;
  readonly among?: Set<() => void>;
}

/** One connection to a plugin, over its standard streams. */
export class Link {
  readonly connection: Connection;
  readonly output: Output;
  /** Why the link is over, once that is known. */
  error: Error | undefined;
  /** Settles once `error` is there. */
  readonly over: Promise<void>;
  readonly #exchanges = new Map<Stream, Exchange>();
  readonly #reader: FrameReader;
  readonly #waiting = new Set<() => void>();
  readonly #forSlots = new Set<() => void>();
  readonly #touched = new Set<Exchange>(); // by the chunk that is being read
  #settleOver: () => void = () => undefined;
  #current: Exchange | undefined; // whose payload is under way
  #ending = false;
  #closing = false;
  #held: boolean | undefined;
  #heard = performance.now();
  #watch: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: Readable,
    sink: Writable,
    private readonly options: LinkOptions,
  ) {
    this.connection = new Connection(options.memory);
    this.output = new Output(sink);
    this.over = new Promise((resolve) => (this.#settleOver = resolve));
    this.#reader = new FrameReader({
      frame: (frame) => this.#takeFrame(frame),
      dataHead: (head) => this.#takeData(head),
      payload: (piece) => this.#takePayload(new Uint8Array(piece)),
    });
    source.on("data", (chunk: Uint8Array) => this.#take(chunk));
    source.once("end", () => this.#takeEnd());
    source.on("error", (error) => this.fail(error));
    sink.on("error", (error) => this.#writerFailed(error));
  }

  /** Whether the handshake is done. */
  get ready(): boolean {
    return this.connection.peer !== undefined;
  }

  /** Sends settings, and waits for the plugin's. Rejects with `error`. */
  async shakeHands(settings: Parameters<Connection["settings"]>[0]): Promise<void> {
    this.#holdWhileNeeded();
    this.output.post(this.connection.settings(settings));
    await this.#until(() => this.ready);
    if (this.error) throw this.error;
  }

  /** Sends a request's head, once there is a slot for it. Rejects with `NotSent`. */
  async open(head: RequestInit, end: boolean, signal?: AbortSignal): Promise<Exchange> {
    const free = (): boolean => this.connection.free > 0 && !this.#ending;
    const refused = (): boolean => (signal?.aborted ?? false) || this.#notTaking() !== undefined;
    while (!free() && !refused()) {
      await this.#until(() => free() || refused(), { among: this.#forSlots, signal });
    }
    const reason = signal?.aborted ? (signal.reason as unknown) : this.#notTaking();
    if (reason !== undefined) throw new NotSent(reason);
    const { stream, frame } = this.connection.open(head, end);
    const exchange = new Exchange(this, stream);
    this.#exchanges.set(stream, exchange);
    this.output.post(frame);
    this.#holdWhileNeeded();
    return exchange;
  }

  /** The reader of `stream` has read so many bytes. */
  consume(stream: Stream, length: number): void {
    this.connection.consume(stream, length);
    this.#flush();
  }

  reset(stream: Stream, code: Code, message: string): void {
    this.connection.reset(stream, code, message);
    this.#flush();
    this.#settle(stream);
    this.wake();
  }

  /**
   * Opens no more streams, and waits for the open ones while frames keep coming, at most so many milliseconds; those
   * that are left are given up. Then the plugin's input ends.
   */
  async drain(patience: number, unread: number): Promise<void> {
    this.#closing = true;
    this.wake();
    const deadline = performance.now() + patience;
    while (this.#exchanges.size > 0 && !this.error && performance.now() < deadline) {
      const before = this.#heard;
      const left = Math.min(unread, deadline - performance.now());
      const idle = await this.#until(() => this.#exchanges.size === 0, { patience: left });
      if (!idle && this.#heard === before) break;
    }
    for (const exchange of [...this.#exchanges.values()]) exchange.cancel(new LinkClosed());
    this.output.close(true);
  }

  /** Ends the link for the reason that `options.explain` makes of `cause`. */
  fail(cause: unknown): void {
    if (this.#ending) return;
    this.#ending = true;
    this.output.close(false);
    this.#holdWhileNeeded();
    void this.options.explain(cause).then((error) => this.end(error));
  }

  /** Ends the link at once: every open exchange fails with `error`. */
  end(error: Error): void {
    if (this.error) return;
    this.#ending = true;
    this.error = error;
    this.output.close(false);
    this.source.destroy();
    for (const [stream, exchange] of this.#exchanges) {
      exchange.fail(error);
      this.connection.streams.delete(stream.id);
    }
    this.#exchanges.clear();
    clearInterval(this.#watch);
    this.wake();
    this.#settleOver();
    this.#holdWhileNeeded();
  }

  /** Lets everybody who waits for the link look again. */
  wake(): void {
    for (const look of this.#waiting) look();
    let { free } = this.connection;
    const taking = !this.#ending && !this.#notTaking();
    for (const look of this.#forSlots) {
      if (taking && free-- <= 0) return;
      look();
    }
  }

  /** Settles with true when `ready` or the link is over, with false when it takes longer than `patience`. */
  async #until(ready: () => boolean, wait: Wait = {}): Promise<boolean> {
    const { patience, signal, among = this.#waiting } = wait;
    const done = (): boolean => this.error !== undefined || ready();
    if (done()) return true;
    return new Promise<boolean>((resolve) => {
      const settle = (value: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", look);
        among.delete(look);
        resolve(value);
        this.#holdWhileNeeded();
      };
      const look = (): void => {
        if (done()) settle(true);
      };
      const timer = patience === undefined ? undefined : setTimeout(settle, patience, false);
      signal?.addEventListener("abort", look);
      among.add(look);
      this.#holdWhileNeeded();
    });
  }

  /** Why no stream can be opened any more. */
  #notTaking(): Error | undefined {
    if (this.error) return this.error;
    if (this.#closing) return new LinkClosed();
    const { goingAway, usedUp } = this.connection;
    if (goingAway && !this.#ending) return new NoMoreStreams(goingAway.message);
    return usedUp ? new NoMoreStreams("its stream ids are used up") : undefined;
  }

  #take(chunk: Uint8Array): void {
    if (this.#ending) return;
    this.#heard = performance.now();
    try {
      this.#reader.read(chunk);
    } catch (error) {
      this.fail(error);
      return;
    }
    for (const exchange of this.#touched) exchange.notify();
    this.#touched.clear();
    this.#flush();
  }

  #takeEnd(): void {
    try {
      this.#reader.end();
      this.fail(undefined);
    } catch (error) {
      this.fail(error);
    }
  }

  #takeFrame(frame: Frame): void {
    if (frame.body.case === "data") {
      const { streamId, endStream } = frame;
      const payload = new Uint8Array(frame.body.value);
      this.#takeData({ streamId, endStream, length: payload.length, size: 0 });
      this.#takePayload(payload);
      return;
    }
    try {
      const { event, stream } = receive(this.connection, frame);
      if (event === "go_away") this.#goAway(frame.body.value as GoAway);
      if (event === "settings") this.wake();
      if (stream) this.#tell(stream, frame);
    } catch (error) {
      this.#costStream(error);
    }
    if (frame.body.case === "end" || frame.body.case === "reset") this.wake(); // a slot may be free
  }

  #takeData({ streamId, endStream, length }: DataHead): void {
    this.#current = undefined;
    try {
      const stream = receiveData(this.connection, streamId, length, endStream);
      this.#current = stream && this.#exchanges.get(stream);
      this.#current?.expect(length);
      if (stream && length === 0) this.#settle(stream);
    } catch (error) {
      this.#costStream(error);
    }
    if (endStream) this.wake();
  }

  #takePayload(piece: Uint8Array): void {
    const exchange = this.#current;
    if (!exchange) return;
    exchange.put(piece);
    this.#touched.add(exchange);
    if (exchange.whole) this.#settle(exchange.stream);
  }

  #tell(stream: Stream, frame: Frame): void {
    const exchange = this.#exchanges.get(stream);
    if (!exchange) return;
    const { body } = frame;
    if (body.case === "response") exchange.response = body.value;
    if (body.case === "reset") {
      const { code, message, unprocessed } = stream.reset ?? body.value;
      if (code !== Code.OK_UNSPECIFIED) exchange.fail(new ExchangeReset(code, message, unprocessed));
    }
    this.#settle(stream);
    this.#touched.add(exchange);
  }

  /** Lets an error of one stream end that stream alone. */
  #costStream(error: unknown): void {
    if (!(error instanceof StreamFault)) throw error;
    this.#exchanges.get(error.stream)?.fail(new ExchangeReset(error.code, error.message, false));
    this.#settle(error.stream);
  }

  #goAway(away: GoAway): void {
    if (!this.ready) throw new Refusal(away.code, away.message);
    for (const [stream, exchange] of [...this.#exchanges]) {
      if (stream.id <= away.lastStreamId) continue;
      exchange.cancel(new ExchangeReset(Code.UNAVAILABLE, away.message, true));
    }
    this.wake();
  }

  /** Forgets a stream that is closed; what has come of it its reader still gets. */
  #settle(stream: Stream): void {
    const exchange = this.#exchanges.get(stream);
    if (exchange) this.#touched.add(exchange);
    if (!stream.reset && !(stream.done && exchange?.whole)) return;
    this.#exchanges.delete(stream);
    this.#holdWhileNeeded();
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

  #holdWhileNeeded(): void {
    const finding = this.#ending && !this.error;
    const held = this.#exchanges.size > 0 || this.#waiting.size + this.#forSlots.size > 0 || finding;
    if (held === this.#held) return;
    this.#held = held;
    this.options.hold(held);
    clearInterval(this.#watch);
    if (this.#exchanges.size > 0) this.#watch = setInterval(() => this.#look(), WATCH).unref();
  }

  /** Ends the link when the plugin has stopped in the middle of something. */
  #look(): void {
    const before = performance.now() - STALLED;
    const { since } = this.output;
    if (since !== undefined && since < before) {
      this.fail(new Error(`the plugin has read nothing for ${STALLED / 1000} s`));
    } else if (this.#reader.within && this.#heard < before) {
      this.fail(new Error(`the plugin has stopped within a frame for ${STALLED / 1000} s`));
    }
  }
}
