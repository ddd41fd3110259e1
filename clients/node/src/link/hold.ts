/** Counts the reasons to keep this process alive; `tell` is told when the first comes and when the last goes. */
export class Hold {
  #count = 0;

  constructor(private readonly tell: (held: boolean) => void) {}

  /** One more, or one less. */
  add(change: 1 | -1): void {
    const before = this.#count;
    this.#count += change;
    if (before === 0 || this.#count === 0) this.tell(this.#count > 0);
  }

  /** Keeps this process alive until `work` is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.add(1);
    try {
      return await work();
    } finally {
      this.add(-1);
    }
  }
}
