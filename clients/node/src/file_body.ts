import { close, read } from "node:fs";
import { ReadableStream } from "node:stream/web";
import type { ReadableByteStreamController } from "node:stream/web";
import { promisify } from "node:util";

import { ClosedError, ResetError } from "./errors.js";
import type { File } from "./wire/generated/frame_pb.js";
import { finish } from "./response.js";

/** How much is read at a time, unless the reader brings a buffer. */
const PIECE = 512 << 10;

const readFrom = promisify(read);

/** A response's content in a file of which `descriptor` is this process's own, until the signal is aborted. */
export function fileBody(descriptor: number, told: File, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const content = new FileContent(descriptor, told, signal);
  const body = new ReadableStream(
    {
      type: "bytes",
      pull: (controller) => content.deliver(controller),
      cancel: () => content.end(new ClosedError("the body was cancelled")),
    },
    { highWaterMark: 0 },
  );
  forgotten.register(body, content, content);
  return body;
}

/** Closes the files of bodies that were collected as garbage, unread. */
const forgotten = new FinalizationRegistry<FileContent>((content) =>
  content.end(new ClosedError("the response was not read")),
);

class FileContent {
  #position: number;
  #left: number;
  #error: unknown;
  #reading = false;
  #closed = false;
  readonly #abort = (): void => this.end(this.signal?.reason);

  constructor(
    private readonly descriptor: number,
    { offset, length }: File,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#position = Number(offset);
    this.#left = Number(length);
    signal?.addEventListener("abort", this.#abort, { once: true });
    if (signal?.aborted) this.#abort();
  }

  /** Gives the body the next piece, or its end. */
  async deliver(controller: ReadableByteStreamController): Promise<void> {
    if (this.#left > 0) await this.#deliverPiece(controller);
    if (this.#error !== undefined) throw this.#error as Error;
    if (this.#left > 0) return;
    this.end(undefined);
    finish(controller);
  }

  async #deliverPiece(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest;
    const target = request?.view ?? Buffer.allocUnsafeSlow(Math.min(PIECE, this.#left));
    const bytes = new Uint8Array(target.buffer, target.byteOffset, Math.min(target.byteLength, this.#left));
    const count = await this.#read(bytes);
    if (this.#error !== undefined) return;
    if (request) request.respond(count);
    else controller.enqueue(bytes.subarray(0, count));
  }

  /** Reads no more, for this reason if there is one. The file is closed once nobody reads it. */
  end(reason: unknown): void {
    this.#error ??= reason;
    this.signal?.removeEventListener("abort", this.#abort);
    forgotten.unregister(this);
    if (this.#reading || this.#closed) return;
    this.#closed = true;
    close(this.descriptor);
  }

  async #read(target: Uint8Array): Promise<number> {
    if (this.#error !== undefined) return 0;
    this.#reading = true;
    try {
      const { bytesRead } = await readFrom(this.descriptor, target, 0, target.length, this.#position);
      this.#position += bytesRead;
      this.#left -= bytesRead;
      if (bytesRead === 0) {
        const message = `the file of the content was truncated, and ${this.#left} bytes are missing`;
        this.#error ??= new ResetError("DATA_LOSS", message);
      }
      return bytesRead;
    } catch (error) {
      this.#error ??= error;
      return 0;
    } finally {
      this.#reading = false;
      if (this.#error !== undefined) this.end(this.#error);
    }
  }
}
