import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";

import { IMPLEMENTATION } from "../version.js";
import { FrameReader } from "../wire/reader.js";
import type { FrameSink } from "../wire/reader.js";
import { dataNotation, notationOf } from "./notation.js";

const FORMAT = 1;
/** The largest size of a trace, in bytes: some 400,000 frames. */
const LIMIT = 64 << 20;
/** How many traces can have the same name. None is overwritten. */
const FILES_MAX = 1000;

/** What a recorder writes to. */
export interface TraceFile {
  readonly descriptor: number;
  readonly name: string;
}

/**
 * Writes a record of the frames that go over a link, without content and without secrets
 * (udist_plugin/docs/trace.md). It never fails what it records: if the disk is full, the trace ends with a warning.
 */
export class Recorder {
  readonly #sent = new FrameReader(this.#watch("caller"));
  readonly #begun = performance.now();
  #open = true;
  #left: number;

  constructor(
    private readonly file: TraceFile,
    program: string,
    private readonly warn: (text: string) => void,
    limit = LIMIT,
  ) {
    this.#left = limit;
    const time = new Date().toISOString();
    this.#write({ trace: FORMAT, implementation: IMPLEMENTATION, program: basename(program), time });
  }

  /**
   * A recorder to the new file `path`, or if there is one, to `path.2` and so on. Undefined, after a warning, if no
   * such file can be created.
   */
  static open(path: string, program: string, warn: (text: string) => void): Recorder | undefined {
    try {
      const file = create(path);
      if (file.name !== path) warn(`${path} exists; the trace goes to ${file.name}`);
      return new Recorder(file, program, warn);
    } catch (error) {
      warn(`cannot write a trace: ${describe(error)}`);
      return undefined;
    }
  }

  /** These bytes are written next. */
  sent(bytes: Uint8Array): void {
    this.#sent.read(bytes);
  }

  /** Records what a reader tells `sink`. */
  receiving(sink: FrameSink): FrameSink {
    return this.#watch("plugin", sink);
  }

  /** Ends the trace. */
  close(): void {
    this.#end("closed");
  }

  #watch(from: string, sink?: FrameSink): FrameSink {
    return {
      frame: (frame) => {
        this.#record(from, notationOf(frame));
        sink?.frame(frame);
      },
      dataHead: (head) => {
        this.#record(from, dataNotation(head.streamId, head.endStream, head.length));
        sink?.dataHead(head);
      },
      payload: (piece) => sink?.payload(piece),
    };
  }

  #record(from: string, frame: object): void {
    this.#write({ t: this.#elapsed, from, frame });
    if (this.#left < 0) this.#end("limit");
  }

  #end(why: string): void {
    this.#write({ t: this.#elapsed, end: why });
    this.#close();
  }

  /** In seconds. */
  get #elapsed(): number {
    return Math.round((performance.now() - this.#begun) * 1000) / 1e6;
  }

  #write(line: object): void {
    if (!this.#open) return;
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    this.#left -= bytes.length;
    try {
      if (writeSync(this.file.descriptor, bytes) < bytes.length) throw new Error("no space left on device");
    } catch (error) {
      this.#close();
      this.warn(`the trace ${this.file.name} ends early: ${describe(error)}`);
    }
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      closeSync(this.file.descriptor);
    } catch {
      // What was written is there all the same.
    }
  }
}

function create(path: string): TraceFile {
  for (let number = 1; ; number++) {
    const name = number === 1 ? path : `${path}.${number}`;
    try {
      return { descriptor: openSync(name, "wx", 0o600), name };
    } catch (error) {
      const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
      if (!exists || number === FILES_MAX) throw error;
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
