import { INITIAL_CREDIT } from "./constants.js";
import type { Reset } from "./generated/frame_pb.js";
import { ReceiveWindow, SendWindow } from "./windows.js";
import type { Budget } from "./windows.js";

/** What may come next in one direction of a stream. */
export type Half = "waits for its head" | "has begun" | "has ended";

/** What can happen in one direction. */
export type Input = "a head" | "data" | "an end";

/** The next half after an input that does, or does not, end the direction; undefined is an error of its sender. */
export function next(half: Half, input: Input, ends: boolean): Half | undefined {
  const legal = input === "a head" ? half === "waits for its head" : half === "has begun";
  if (!legal) return undefined;
  return ends ? "has ended" : "has begun";
}

/** The state of one HTTP exchange: two halves that each go from head over content to the end. */
export class Stream {
  incoming: Half = "waits for its head";
  outgoing: Half = "waits for its head";
  readonly sending: SendWindow;
  readonly receiving: ReceiveWindow;
  /** The incoming content-length, -1 if it is unknown. */
  expected = -1;
  received = 0;
  reset: Pick<Reset, "code" | "message" | "unprocessed"> | undefined;
  /** Credit to announce. */
  owed = 0;

  constructor(
    /** Odd, and higher than that of every stream before. */
    readonly id: number,
    /** Whether the response to this method has no content, whatever its fields say. */
    readonly bodiless: boolean,
    /** Whether the response's content may be in a file. */
    readonly acceptsFile: boolean,
    budget: Budget,
    initialCredit = INITIAL_CREDIT,
  ) {
    this.sending = new SendWindow(initialCredit);
    this.receiving = new ReceiveWindow(budget, initialCredit);
  }

  /** Whether the response has come to its end. */
  get ended(): boolean {
    return this.incoming === "has ended";
  }

  get done(): boolean {
    return this.ended && this.outgoing === "has ended";
  }

  /** How many payload bytes may be sent now. */
  get credit(): number {
    return this.sending.credit;
  }
}
