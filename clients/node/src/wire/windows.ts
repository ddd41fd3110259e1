import { INITIAL_CREDIT, MAX_CREDIT } from "./constants.js";
import { ConnectionFault } from "./errors.js";

// Credit for data, per stream and direction (section 6).
//
// A receiver's window has no fixed size. Credit is what the peer may still send, unread what has come and was not
// consumed yet; together they never exceed size, so size is the memory that the stream may take. A stream whose
// consumer keeps up is given a larger size out of a budget that all streams share. Credit is announced when half
// of the window is free: an announcement for each read would cost a frame a read, and one at the very end would
// leave the sender waiting for it.

/** What one busy stream may be ahead, in bytes: beyond 4 to 8 MiB nothing is gained. */
const LARGEST_WINDOW = 8 << 20;

/** Bytes that windows may grow by, beyond the initial credit of each. */
export class Budget {
  constructor(private left: number) {}

  take(amount: number): number {
    const taken = Math.min(amount, this.left);
    this.left -= taken;
    return taken;
  }

  give(amount: number): void {
    this.left += amount;
  }
}

export class ReceiveWindow {
  #size: number;
  #credit: number;
  #unread = 0;
  #ended = false;

  constructor(
    private readonly budget: Budget,
    private readonly initial = INITIAL_CREDIT,
  ) {
    this.#size = this.#credit = initial;
  }

  receive(amount: number): void {
    if (amount > this.#credit) {
      throw new ConnectionFault("credit", `${amount} bytes of data with ${this.#credit} bytes of credit`);
    }
    this.#credit -= amount;
    this.#unread += amount;
  }

  /** Accounts for bytes that were read, and returns the credit to announce now, mostly 0. */
  consume(amount: number): number {
    this.#unread -= amount;
    if (this.#ended) {
      this.end();
      return 0;
    }
    const free = this.#size - this.#credit - this.#unread;
    if (free * 2 < this.#size) return 0;
    const grown = this.budget.take(Math.min(this.#size, LARGEST_WINDOW - this.#size));
    this.#size += grown;
    this.#credit += free + grown;
    return free + grown;
  }

  /** No more will come: what the window had grown by is free once everything was read. */
  end(): void {
    this.#ended = true;
    if (this.#unread === 0) this.close();
  }

  /** Nobody will read either; twice is once. */
  close(): void {
    this.#ended = true;
    this.budget.give(this.#size - this.initial);
    this.#size = this.initial;
  }
}

export class SendWindow {
  constructor(public credit = INITIAL_CREDIT) {}

  grow(amount: number): void {
    if (amount === 0 || amount > MAX_CREDIT - this.credit) {
      throw new ConnectionFault("window-update", `a window update of ${amount} bytes beyond ${this.credit} of credit`);
    }
    this.credit += amount;
  }
}
