import type { Connection } from "../wire/connection.js";
import type { Activity } from "./activity.js";
import { NoMoreStreams, NoSlot, NotSent } from "./errors.js";
import type { Exchange } from "./exchange.js";
import type { Hold } from "./hold.js";
import { Waiters } from "./waiters.js";

/** The plugin's slots, and the requests that wait for one. */
export class Slots {
  readonly #waiting: Waiters;
  #paused = false;
  #reason: unknown;

  /** `timeout` bounds the wait, in milliseconds, while responses of `exchanges` are left unread and nothing moves. */
  constructor(
    private readonly connection: Connection,
    private readonly exchanges: ReadonlyMap<number, Exchange>,
    private readonly activity: Activity,
    private readonly timeout: number,
    hold: Hold,
  ) {
    this.#waiting = new Waiters(hold);
  }

  /** Waits for a slot, and returns what `open` returns. Rejects with `NotSent` if no slot can be had. */
  async take<T>(open: () => T, signal: AbortSignal | undefined): Promise<T> {
    const begun = performance.now();
    const left = (): number => this.#left(begun);
    const settled = (): boolean => this.#free || (signal?.aborted ?? false) || this.#refusal !== undefined;
    try {
      while (!settled()) {
        if (!(await this.#waiting.until(settled, { signal, left }))) throw new NotSent(this.#exceeded());
      }
      const reason = signal?.aborted ? (signal.reason as unknown) : this.#refusal;
      if (reason !== undefined) throw new NotSent(reason);
      return open();
    } catch (error) {
      this.wake(); // the slot that this was woken for is another's
      throw error;
    }
  }

  /** Wakes as many waiting requests as there are slots, or all if there will be none. */
  wake(): void {
    const open = !this.#paused && this.#refusal === undefined;
    this.#waiting.wake(open ? this.connection.free : Infinity);
  }

  /** Gives out no more slots; `close` follows with the reason. */
  pause(): void {
    this.#paused = true;
  }

  /** Gives out no more slots, for a reason that is not undefined. */
  close(reason: unknown): void {
    this.#reason = reason;
    this.wake();
  }

  get #free(): boolean {
    return this.connection.free > 0 && !this.#paused;
  }

  /** Why no stream can be opened any more; undefined while one may be, later. */
  get #refusal(): unknown {
    if (this.#reason !== undefined) return this.#reason;
    const { goingAway, usedUp } = this.connection;
    if (goingAway && !this.#paused) return new NoMoreStreams(goingAway.message);
    return usedUp ? new NoMoreStreams("all of its stream ids have been used; spawn another plugin") : undefined;
  }

  /** Milliseconds left to wait. The plugin may take as long as its work takes, a response's reader may not. */
  #left(begun: number): number {
    return this.#unread > 0 ? this.activity.left(this.timeout, begun) : this.timeout;
  }

  #exceeded(): NoSlot {
    const unread = `${this.#unread} of ${this.exchanges.size} open responses are not being read`;
    return new NoSlot(`the plugin had no slot free for ${this.timeout} ms: ${unread}; read or cancel their bodies`);
  }

  get #unread(): number {
    return [...this.exchanges.values()].filter(({ unread }) => unread).length;
  }
}
