import { crc32 } from "node:zlib";

import type { Answer } from "./faces.js";
import { reportError } from "./failure.js";
import { report } from "./lines.js";

/** How many bytes of content are written at once. */
const PIECE = 64 << 10;

/** Byte i of any request's content is i modulo 251. */
export function pattern(start: number, end: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: end - start }, (_, i) => (start + i) % 251);
}

/** A request and its response. Commands for one do not wait for those for the other. */
export class Exchange {
  #answer: Answer | undefined;
  #received: Promise<void> = Promise.resolve();
  #sent: Promise<void> = Promise.resolve();
  #over = false;
  #unread: Uint8Array = new Uint8Array();
  #written = 0;

  /** The request's content, if there is any, goes to `content`. */
  constructor(
    private readonly id: string,
    answer: Promise<Answer>,
    private readonly aborting: AbortController,
    private readonly content?: WritableStreamDefaultWriter<Uint8Array>,
  ) {
    this.#receive(async () => {
      this.#answer = await answer;
      report("head", id, this.#answer.status, ...wordsOf(this.#answer.fields));
    });
  }

  /** Reads `count` bytes, or to the end if there are fewer. */
  read(count: number): void {
    this.#receive(async () => {
      let length = 0;
      let checksum = 0;
      let piece: Uint8Array | undefined;
      while (length < count && (piece = await this.#next(count - length))) {
        length += piece.length;
        checksum = crc32(piece, checksum);
      }
      report("content", this.id, length, checksum.toString(16));
      if (length === count) return;
      this.#over = true;
      report("end", this.id, ...wordsOf(this.#answer?.trailers() ?? []));
    });
  }

  cancel(): void {
    this.aborting.abort();
    this.read(Infinity); // which fails, unless something else does before
  }

  write(count: number): void {
    this.#send(async (content) => {
      const end = this.#written + count;
      while (this.#written < end) {
        const start = this.#written;
        this.#written = Math.min(start + PIECE, end);
        await content.write(pattern(start, this.#written));
      }
    });
  }

  end(): void {
    this.#send((content) => content.close());
  }

  /** Goes on with the response. A failure is reported once, and is the exchange's end. */
  #receive(step: () => Promise<void>): void {
    this.#received = this.#received.then(async () => {
      if (this.#over) return;
      try {
        await step();
      } catch (error) {
        this.#over = true;
        reportError(this.id, error);
      }
    });
  }

  /** Goes on with the request's content. If that fails, the client does not want it, and the response says why. */
  #send(step: (content: WritableStreamDefaultWriter<Uint8Array>) => Promise<void>): void {
    const { content } = this;
    if (!content) return;
    this.#sent = this.#sent.then(() => step(content)).then(() => report("written", this.id), () => undefined);
  }

  /** At most so many bytes of content; undefined at the end. */
  async #next(most: number): Promise<Uint8Array | undefined> {
    while (this.#unread.length === 0) {
      const piece = await this.#answer?.content.next();
      if (!piece || piece.done) return undefined;
      this.#unread = piece.value;
    }
    const piece = this.#unread.subarray(0, most);
    this.#unread = this.#unread.subarray(most);
    return piece;
  }
}

function wordsOf(fields: Iterable<[string, string]>): string[] {
  return Array.from(fields, ([name, value]) => `${name}:${value}`);
}
