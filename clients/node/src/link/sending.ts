import { MAX_DATA } from "../wire/constants.js";
import { BodyError } from "../errors.js";
import type { Exchange } from "./exchange.js";
import type { Link } from "./link.js";
import { Signal } from "./signal.js";

/** Bytes that are read ahead of what is sent, so that reading goes on while a frame is written. */
const AHEAD = 2 * MAX_DATA;

/** How long, in milliseconds, the bytes that complete the declared length wait for the body's end. */
const UNENDED = 100;

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/**
 * Sends what `body` gives as the content of a request, in frames as large as credit allows. `length` is the declared
 * content-length, if there is one. Never rejects: a body that fails fails the exchange, and one that is not wanted
 * is cancelled.
 */
export async function sendContent(
  link: Link,
  exchange: Exchange,
  body: ReadableStream<Uint8Array>,
  length: number | undefined,
): Promise<void> {
  const content = new Content(body.getReader(), length);
  exchange.onUnwanted = () => content.stop(exchange.error);
  await link.hold.during(async () => {
    const reading = content.fill();
    try {
      await content.sendOver(link, exchange);
      if (exchange.unwanted) content.stop(exchange.error);
      await reading;
      content.check(exchange);
    } catch (error) {
      exchange.cancel(error);
    } finally {
      content.stop(exchange.error);
      await reading.catch(() => undefined); // told before, by sendOver
    }
  });
}

/** What was read of a body and not sent yet. */
class Content {
  #pieces: Uint8Array[] = [];
  #held = 0;
  #total = 0;
  #ended = false;
  #stopped = false;
  #overdue = false;
  #timer: NodeJS.Timeout | undefined;
  #error: unknown;
  readonly #filled = new Signal();
  readonly #emptied = new Signal();

  constructor(
    private readonly reader: Reader,
    private readonly length: number | undefined,
  ) {}

  /** Reads the body to its end, no further ahead than `AHEAD`. */
  async fill(): Promise<void> {
    try {
      while (!this.#stopped) {
        const { done, value } = await this.reader.read();
        if (done) break;
        this.#take(value);
        this.#filled.notify();
        while (this.#full) await this.#emptied.wait();
      }
      if (!this.#stopped && this.length !== undefined && this.#total !== this.length) {
        throw new BodyError(`the request's body has ${this.#total} bytes, but its content-length is ${this.length}`);
      }
    } catch (error) {
      this.#error =
        error instanceof BodyError
          ? error
          : new BodyError(`the request's body failed: ${describe(error)}`, { cause: error });
    } finally {
      clearTimeout(this.#timer);
      this.#ended = true;
      this.#filled.notify();
    }
  }

  /**
   * What completes the declared length waits for the body's end: there may be more, which is an error. It does not wait
   * long, because a body may end only after the response has come.
   */
  get #sendable(): boolean {
    return this.#complete || (this.#held > 0 && this.#total !== this.length);
  }

  /** Whether what is held is all that will be sent. */
  get #complete(): boolean {
    return this.#ended || this.#overdue;
  }

  get #full(): boolean {
    return this.#held >= AHEAD && this.#total !== this.length && !this.#stopped;
  }

  async sendOver(link: Link, exchange: Exchange): Promise<void> {
    for (;;) {
      while (!this.#sendable && !exchange.unwanted) await this.#filled.wait();
      this.check(exchange);
      if (exchange.unwanted) return;
      if (this.#held > 0 && exchange.stream.credit === 0) {
        await exchange.sending.wait();
        continue;
      }
      const going = await link.output.bulk(() => this.#frame(link, exchange));
      if (!going || exchange.stream.outgoing === "has ended") return;
    }
  }

  /** Throws the body's error, if the body is still wanted. */
  check(exchange: Exchange): void {
    if (this.#error !== undefined && !exchange.unwanted) throw this.#error as Error;
  }

  /** Reads no more, and tells the body so, and why. */
  stop(reason?: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#emptied.notify();
    this.#filled.notify();
    if (!this.#ended) this.reader.cancel(reason).catch(() => undefined); // it is not wanted, whatever it says
  }

  #take(value: Uint8Array): void {
    if (!((value as unknown) instanceof Uint8Array)) throw new TypeError("a chunk is not a Uint8Array");
    if (value.length === 0) return;
    this.#total += value.length;
    if (this.length !== undefined && this.#total > this.length) {
      throw new BodyError(`the request's body is longer than its content-length, ${this.length}`);
    }
    this.#pieces.push(value);
    this.#held += value.length;
    if (this.#total === this.length) this.#timer = setTimeout(() => this.#hurry(), UNENDED);
  }

  #hurry(): void {
    this.#overdue = true;
    this.#filled.notify();
  }

  /** The next frame, as large as what is held and the credit allow. */
  #frame(link: Link, exchange: Exchange): Uint8Array[] | undefined {
    if (exchange.unwanted) return undefined;
    const size = Math.min(this.#held, exchange.stream.credit, MAX_DATA);
    const pieces: Uint8Array[] = [];
    let left = size;
    while (left > 0) {
      const piece = this.#pieces.shift() ?? new Uint8Array();
      pieces.push(piece.subarray(0, left));
      if (piece.length > left) this.#pieces.unshift(piece.subarray(left));
      left -= Math.min(left, piece.length);
    }
    this.#held -= size;
    const last = this.#held === 0 && this.#complete;
    if (size === 0 && !last) return undefined;
    this.#emptied.notify();
    return [link.connection.sendData(exchange.stream, size, last), ...pieces];
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
