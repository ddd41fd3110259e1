import {
  DECLARED_CREDIT,
  INITIAL_CREDIT,
  INITIAL_STREAMS,
  MAX_DATA,
  MAX_MESSAGE,
  MAX_STREAM_ID,
  SMALL_CREDIT,
} from "./constants.js";
import { encode } from "./codec.js";
import type { FrameInit } from "./codec.js";
import { LocalFault } from "./errors.js";
import { dataHead } from "./framing.js";
import type { Code, GoAway, Reset, Settings } from "./generated/frame_pb.js";
import { fieldsProblem, requestProblem } from "./heads.js";
import type { RequestInit } from "./heads.js";
import { next, Stream } from "./stream.js";
import type { Input } from "./stream.js";
import { Budget } from "./windows.js";

type ResetInit = Pick<Reset, "code" | "message" | "unprocessed">;
type Body<Case> = Extract<NonNullable<FrameInit["body"]>, { case: Case }>["value"];

/** As much of a message as may be sent, or repeated. */
export function cut(message: string): string {
  return message.length <= MAX_MESSAGE ? message : Array.from(message).slice(0, MAX_MESSAGE).join("");
}

/**
 * The caller's state of one connection.
 *
 * Nothing here does I/O. Whoever drives a connection hands in each frame that arrived (`receiving.ts`) and acts on
 * what comes back, and asks for the bytes of each frame to send, in the order in which it sends them. Answers that
 * the protocol itself owes gather for `takeControl`, bounded: one update a stream, one pong, and the resets of
 * streams that were given up, of which there are no more than slots.
 *
 * A stream that the caller has given up still counts until the plugin has said its last about it (section 4): only
 * then is the worker free that served it.
 */
export class Connection {
  /** The plugin's settings, undefined before they came. */
  peer: Settings | undefined;
  /** The plugin's last word, if there is one. */
  goingAway: GoAway | undefined;
  /** The token of the pong that is owed. */
  pong: number | undefined;
  highestId = 0;
  readonly streams = new Map<number, Stream>();
  readonly givenUp = new Set<number>();
  readonly #budget: Budget;
  readonly #updates = new Set<Stream>();
  #resets: Uint8Array[] = [];

  /** `memory` bounds, in bytes, what windows may grow to beyond their first credit, all together. */
  constructor(memory: number) {
    this.#budget = new Budget(memory);
  }

  /** How many streams count as open. */
  get slots(): number {
    return this.streams.size + this.givenUp.size;
  }

  /** How many streams more the plugin has slots for. */
  get free(): number {
    return Math.max(INITIAL_STREAMS, this.peer?.maxStreams ?? 0) - this.slots;
  }

  /** Whether no id is left: it takes a new plugin to go on. */
  get usedUp(): boolean {
    return this.highestId >= MAX_STREAM_ID - 1;
  }

  settings(value: Body<"settings">): Uint8Array {
    return encode({ body: { case: "settings", value } });
  }

  /**
   * A new stream and its request's bytes. Beyond the first streams it begins with little credit, so that many unread
   * ones take little memory.
   */
  open(head: RequestInit, end: boolean): { stream: Stream; frame: Uint8Array } {
    const small = this.slots >= INITIAL_STREAMS && this.peer?.capabilities.includes(DECLARED_CREDIT);
    const request = small ? { ...head, initialCredit: SMALL_CREDIT } : head;
    const problem = requestProblem(request);
    if (problem) throw new LocalFault(`the request's ${problem}`);
    if (this.free <= 0 || this.usedUp || this.goingAway) throw new LocalFault("no stream can be opened now");
    const streamId = this.highestId + 1 + (this.highestId & 1);
    const frame = encode({ streamId, endStream: end, body: { case: "request", value: request } });
    const { method, acceptFile = false, initialCredit = 0 } = request;
    const credit = initialCredit > 0 ? initialCredit : INITIAL_CREDIT;
    const stream = new Stream(streamId, method === "HEAD", acceptFile, this.#budget, credit);
    this.highestId = streamId;
    this.streams.set(streamId, stream);
    this.#advance(stream, "a head", end);
    return { stream, frame };
  }

  /** The head of a data frame of `length` payload bytes, which the stream's credit must cover. */
  sendData(stream: Stream, length: number, end: boolean): Uint8Array {
    if (length > stream.credit || length > MAX_DATA || (length === 0 && !end)) {
      throw new LocalFault(`data of ${length} bytes on ${stream.credit} bytes of credit`);
    }
    this.#advance(stream, "data", end);
    stream.sending.credit -= length;
    return dataHead(stream.id, length, end);
  }

  /** Ends the request, with trailers. */
  sendEnd(stream: Stream, trailers: NonNullable<Body<"end">["trailers"]>): Uint8Array {
    const problem = fieldsProblem(trailers);
    if (problem) throw new LocalFault(`a trailer: ${problem}`);
    this.#advance(stream, "an end", true);
    return encode({ streamId: stream.id, body: { case: "end", value: { trailers } } });
  }

  /**
   * Gives up on a stream, unless it has ended already, or with OK says that its response's file is open; the frame is
   * owed as control.
   */
  reset(stream: Stream, code: Code, message: string): void {
    if (stream.reset || stream.done) {
      stream.receiving.close();
      return;
    }
    const reset = { code, message, unprocessed: false };
    this.giveUp(stream, reset);
    this.end(stream, reset);
  }

  /** The consumer has read `length` bytes of `stream`. */
  consume(stream: Stream, length: number): void {
    const credit = stream.receiving.consume(length);
    if (credit === 0) return;
    stream.owed += credit;
    this.#updates.add(stream);
  }

  /** Whether `takeControl` would give anything. */
  get owesControl(): boolean {
    return this.#updates.size > 0 || this.pong !== undefined || this.#resets.length > 0;
  }

  /** The frames that overtake all others. */
  takeControl(): Uint8Array[] {
    const frames = this.#resets;
    this.#resets = [];
    for (const stream of this.#updates) {
      if (stream.owed === 0) continue; // the stream has ended since
      frames.push(
        encode({ streamId: stream.id, body: { case: "windowUpdate", value: { credit: stream.owed } } }),
      );
      stream.owed = 0;
    }
    this.#updates.clear();
    if (this.pong !== undefined) {
      frames.push(encode({ body: { case: "ping", value: { token: this.pong, ack: true } } }));
      this.pong = undefined;
    }
    return frames;
  }

  /** Owes the plugin a reset, and keeps the stream's slot until the plugin's last frame about it. */
  giveUp(stream: Stream, reset: ResetInit): void {
    this.givenUp.add(stream.id);
    const value = { ...reset, message: cut(reset.message) };
    this.#resets.push(encode({ streamId: stream.id, body: { case: "reset", value } }));
  }

  /** Marks the stream as reset, and drops what was to be said about it. */
  end(stream: Stream, reset: ResetInit): void {
    stream.reset = reset;
    stream.owed = 0;
    stream.receiving.close();
    this.streams.delete(stream.id);
  }

  closeIfDone(stream: Stream): void {
    if (stream.done) this.streams.delete(stream.id);
  }

  #advance(stream: Stream, input: Input, ends: boolean): void {
    if (stream.reset) throw new LocalFault(`${input} on stream ${stream.id}, which was reset`);
    const half = next(stream.outgoing, input, ends);
    if (!half) throw new LocalFault(`${input} on stream ${stream.id}, which ${stream.outgoing}`);
    stream.outgoing = half;
    this.closeIfDone(stream);
  }
}
