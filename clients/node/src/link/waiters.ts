import type { Hold } from "./hold.js";

interface Wait {
  /** Milliseconds. */
  readonly patience?: number | undefined;
  /** Its end lets `ready` be asked again. */
  readonly signal?: AbortSignal | undefined;
}

/** Those who wait for something to be so, and whom this process stays for. */
export class Waiters {
  readonly #looks = new Set<() => void>();

  constructor(private readonly hold: Hold) {}

  /** Settles with true when `ready`, with false when that takes longer than `patience`. */
  async until(ready: () => boolean, { patience, signal }: Wait = {}): Promise<boolean> {
    if (ready()) return true;
    return new Promise<boolean>((resolve) => {
      const settle = (value: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", look);
        this.#looks.delete(look);
        resolve(value);
        this.hold.add(-1);
      };
      const look = (): void => {
        if (ready()) settle(true);
      };
      const timer = patience === undefined ? undefined : setTimeout(settle, patience, false);
      signal?.addEventListener("abort", look);
      this.#looks.add(look);
      this.hold.add(1);
    });
  }

  /** Lets them look again, at most so many of them: those who came first. */
  wake(most = Infinity): void {
    for (const look of this.#looks) {
      if (most-- <= 0) return;
      look();
    }
  }
}
