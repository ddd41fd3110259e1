import { StringDecoder } from "node:string_decoder";

/** Characters of a line that are kept: what writes no end of line must not fill the memory. */
const LONGEST = 4096;

/** Parts what arrives into lines. */
export class Lines {
  readonly #decoder = new StringDecoder("utf8");
  #begun = "";

  constructor(private readonly take: (line: string) => void) {}

  write(chunk: Buffer): void {
    const [first = "", ...others] = this.#decoder.write(chunk).split("\n");
    this.#add(first);
    for (const part of others) {
      this.#finish();
      this.#add(part);
    }
  }

  end(): void {
    this.#add(this.#decoder.end());
    if (this.#begun) this.#finish();
  }

  #add(part: string): void {
    this.#begun += part.slice(0, LONGEST - this.#begun.length);
  }

  #finish(): void {
    this.take(this.#begun.replace(/\r$/, ""));
    this.#begun = "";
  }
}
