/** When something last moved on a link, in milliseconds of the monotonic clock. */
export class Activity {
  /** When bytes last came. */
  heard = performance.now();
  /** When content was last read. */
  read = performance.now();

  /** Milliseconds left of a wait that began at `begun`, and ends when nothing has moved for `bound`. */
  left(bound: number, begun: number): number {
    return Math.max(begun, this.heard, this.read) + bound - performance.now();
  }
}
