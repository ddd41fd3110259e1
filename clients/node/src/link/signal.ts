/** Wakes the one that waits, or the next one that will. */
export class Signal {
  #set = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#set = true;
    this.#wake?.();
  }

  async wait(): Promise<void> {
    if (!this.#set) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    this.#set = false;
  }
}
