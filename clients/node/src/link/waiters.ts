import { LONGEST } from "../timer.js";
import type { Hold } from "./hold.js";

interface Wait {
  /** Milliseconds that are left to wait; asked again once they are over. */
  readonly left?: (() => number) | undefined;
  /** Its end lets `ready` be asked again. */
  readonly signal?: AbortSignal | undefined;
}

/** Callers that wait for a condition, for which this process is kept alive. */
export class Waiters {
  readonly #looks = new Set<() => void>();

  constructor(private readonly hold: Hold) {}

  /** Settles with true when `ready`, with false when no time is `left`. */
  async until(ready: () => boolean, { left, signal }: Wait = {}): Promise<boolean> {
    if (ready()) return true;
    return new Promise<boolean>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
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
      const tick = (): void => {
        const milliseconds = left?.() ?? 0;
        if (milliseconds > 0) timer = setTimeout(tick, Math.min(milliseconds, LONGEST));
        else settle(false);
      };
      signal?.addEventListener("abort", look);
      this.#looks.add(look);
      this.hold.add(1);
      if (left) tick();
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
