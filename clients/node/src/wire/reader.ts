import { LOOK_AHEAD, PREFIX_SIZE } from "./constants.js";
import { decode } from "./codec.js";
import { ConnectionFault } from "./errors.js";
import { checkControlLength, checkFirstByte, frameLength, parseDataHead } from "./framing.js";
import type { DataHead } from "./framing.js";
import type { Frame } from "./generated/frame_pb.js";

/** What a reader tells of what it reads. */
export interface FrameSink {
  /** A frame that is not canonical data. */
  frame(frame: Frame): void;
  /** The head of a canonical data frame; its payload follows, in pieces. */
  dataHead(head: DataHead): void;
  /** A piece of payload, good until this returns: a part of the chunk that was read. */
  payload(piece: Uint8Array): void;
}

/**
 * Takes frames out of bytes that arrive in chunks of any size, whose memory may change once they were read. Payloads
 * are never gathered: they go on as they come. Errors are `ConnectionFault`s, after which nothing more may be read.
 */
export class FrameReader {
  readonly #ahead = new Uint8Array(LOOK_AHEAD);
  #held = 0;
  #message: Uint8Array | undefined;
  #filled = 0;
  #payload = 0;

  constructor(private readonly sink: FrameSink) {}

  /** Whether a frame has begun and not ended. */
  get within(): boolean {
    return this.#held > 0 || this.#message !== undefined || this.#payload > 0;
  }

  read(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length) {
      if (this.#payload > 0) position = this.#readPayload(chunk, position);
      else if (this.#message) position = this.#readMessage(this.#message, chunk, position);
      else if (this.#held > 0 || !fits(chunk, position)) position = this.#readAhead(chunk, position);
      else position += this.#begin(chunk, position);
    }
  }

  /** Nothing more will come. */
  end(): void {
    if (!this.within) return;
    const missing = this.#payload || (this.#message ? this.#message.length - this.#filled : 0);
    const short = missing ? `, ${missing} bytes short` : "";
    throw new ConnectionFault("truncated", `the stream ended within a frame${short}`);
  }

  #readPayload(chunk: Uint8Array, position: number): number {
    const behind = Math.min(chunk.length, position + this.#payload);
    this.#payload -= behind - position;
    this.sink.payload(chunk.subarray(position, behind));
    return behind;
  }

  #readMessage(message: Uint8Array, chunk: Uint8Array, position: number): number {
    const behind = Math.min(chunk.length, position + message.length - this.#filled);
    message.set(chunk.subarray(position, behind), this.#filled);
    this.#filled += behind - position;
    if (this.#filled === message.length) {
      this.#message = undefined;
      this.sink.frame(decode(message));
    }
    return behind;
  }

  /** Gathers the beginning of a frame that a chunk has cut. */
  #readAhead(chunk: Uint8Array, position: number): number {
    if (this.#held === 0) checkFirstByte(chunk, position);
    let wanted = PREFIX_SIZE;
    if (this.#held >= PREFIX_SIZE) wanted = aheadOf(this.#ahead);
    const behind = Math.min(chunk.length, position + wanted - this.#held);
    this.#ahead.set(chunk.subarray(position, behind), this.#held);
    this.#held += behind - position;
    if (this.#held < PREFIX_SIZE || this.#held < aheadOf(this.#ahead)) return behind;
    const held = this.#ahead.slice(0, this.#held);
    this.#held = 0;
    this.read(held.subarray(this.#begin(held, 0)));
    return behind;
  }

  /** Begins with the frame at `position`, of which enough is there; returns how many bytes that took. */
  #begin(bytes: Uint8Array, position: number): number {
    const length = frameLength(bytes, position);
    const head = parseDataHead(bytes, position);
    if (head) {
      this.#payload = head.length;
      this.sink.dataHead(head);
      return head.size;
    }
    checkControlLength(length);
    const start = position + PREFIX_SIZE;
    if (start + length <= bytes.length) {
      this.sink.frame(decode(new Uint8Array(bytes.subarray(start, start + length))));
      return PREFIX_SIZE + length;
    }
    this.#message = new Uint8Array(length);
    this.#filled = 0;
    return PREFIX_SIZE;
  }
}

/** Whether the beginning of a frame, as far as it must be looked at, stands in `chunk`. */
function fits(chunk: Uint8Array, position: number): boolean {
  const left = chunk.length - position;
  return left >= LOOK_AHEAD || (left >= PREFIX_SIZE && left >= aheadOf(chunk.subarray(position)));
}

function aheadOf(bytes: Uint8Array): number {
  return Math.min(LOOK_AHEAD, PREFIX_SIZE + frameLength(bytes, 0));
}
