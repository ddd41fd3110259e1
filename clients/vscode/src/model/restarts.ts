/**
 * How often a plugin that died is spawned again: `limit` starts within `period` milliseconds. What is beyond that waits
 * for a person, who may `forget` the past.
 */
export class Restarts {
  #starts: number[] = [];

  constructor(
    private readonly limit = 4,
    private readonly period = 60_000,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Counts a start, and returns whether it is allowed. */
  take(): boolean {
    const oldest = this.now() - this.period;
    this.#starts = this.#starts.filter((start) => start > oldest);
    if (this.#starts.length >= this.limit) return false;
    this.#starts.push(this.now());
    return true;
  }

  forget(): void {
    this.#starts = [];
  }
}
