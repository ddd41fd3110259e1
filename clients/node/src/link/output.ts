import type { Writable } from "node:stream";

import type { Recorder } from "../trace/recorder.js";

/**
 * The plugin's standard input. Small frames are written at once; of bulk data one frame is under way at a time, and
 * streams take turns. So a small frame waits behind one frame at most, and little is held in this process.
 */
export class Output {
  readonly #turns: (() => void)[] = [];
  #busy = false;
  #closed = false;
  /** When the write that is under way began, in milliseconds of the monotonic clock. */
  since: number | undefined;

  /** `recorder`, if there is one, is told what is written. */
  constructor(
    private readonly sink: Writable,
    private readonly recorder?: Recorder,
  ) {}

  /** Writes whole frames, behind what is under way. What it fails with, the sink's error event tells. */
  post(...frames: Uint8Array[]): void {
    if (this.#closed || frames.length === 0) return;
    this.#write(frames);
  }

  /**
   * Waits for a turn, and writes the frame that `make` then gives, if any, as one. Settles when the frame was taken;
   * false if nothing can be written any more.
   */
  async bulk(make: () => Uint8Array[] | undefined): Promise<boolean> {
    if (this.#busy) await new Promise<void>((resolve) => this.#turns.push(resolve));
    this.#busy = true;
    try {
      const frame = this.#closed ? undefined : make();
      if (!frame) return !this.#closed;
      return await new Promise<boolean>((resolve) => this.#write(frame, () => resolve(!this.#closed)));
    } finally {
      this.#busy = false;
      this.#turns.shift()?.();
    }
  }

  /** Nobody may write any more; `end` ends the plugin's input behind what was written. */
  close(end: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    if (end) this.sink.end();
  }

  #write(pieces: readonly Uint8Array[], taken?: () => void): void {
    this.since ??= performance.now();
    this.sink.cork();
    for (const [i, piece] of pieces.entries()) {
      this.recorder?.sent(piece);
      if (i < pieces.length - 1) this.sink.write(piece);
      else this.sink.write(piece, () => this.#settle(taken));
    }
    this.sink.uncork();
  }

  #settle(taken?: () => void): void {
    this.since = this.sink.writableLength > 0 ? performance.now() : undefined;
    taken?.();
  }
}
