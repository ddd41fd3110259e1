import { errors } from "undici";

import { after } from "../timer.js";

/** Undici's default, in milliseconds. */
const DEFAULT = 300_000;

/** A bound on a wait, as undici's `headersTimeout` and `bodyTimeout` are: milliseconds, of which 0 is no bound. */
export class Bound {
  readonly #time: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: "headersTimeout" | "bodyTimeout", options: Readonly<Partial<Record<typeof name, number | null>>>) {
    this.#time = options[name] ?? DEFAULT;
    if (!Number.isFinite(this.#time) || this.#time < 0) throw new errors.InvalidArgumentError(`invalid ${name}`);
  }

  start(exceeded: () => void): void {
    if (this.#time > 0) this.#timer = after(this.#time, exceeded)?.unref();
  }

  /** Begins the wait again, even when it was exceeded. */
  renew(): void {
    this.#timer?.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined; // for a timer that was cleared would be set again by refreshing it
  }
}
