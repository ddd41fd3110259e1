import { spawn } from "node:child_process";
import type { ChildProcessByStdio, StdioOptions } from "node:child_process";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import type { Command } from "./command.js";
import type { SocketPair } from "./socket_pair.js";

const TAIL_LINES = 20;
const LINE_MAX = 4096;
/** How long a child may take to end after TERM, in milliseconds. */
const TERMINATING = 2000;
/** How long to wait for the rest of standard error: a grandchild may hold it open. */
const DRAINING = 1000;

/** How a process has ended: with a status, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

type Process = ChildProcessByStdio<Writable, Readable, Readable>;

/** A spawned child whose standard error is drained, and that can be ended with bounded waits. */
export class Child {
  /** Settles once the child has ended and its standard error was read; never rejects. */
  readonly exited: Promise<Exit>;
  /** Settles once it is known whether there is a process; rejects with the operating system's error if not. */
  readonly spawned: Promise<void>;
  /** The child's standard output. The bytes of a `data` event are good until it is over. */
  readonly stdout: Socket;
  readonly #process: Process;
  readonly #tail: string[] = [];

  /**
   * In a group of its own Ctrl-C on the terminal does not reach the child. `line` gets its standard error, and `pair`
   * is for its standard output, instead of a pipe.
   */
  constructor({ words: [program, ...words], own }: Command, line: (text: string) => void, pair?: SocketPair) {
    const detached = own && process.platform !== "win32";
    try {
      const stdio: StdioOptions = ["pipe", pair?.theirs ?? "pipe", "pipe"];
      this.#process = spawn(program, words, { stdio, detached, windowsHide: true }) as Process;
    } catch (error) {
      pair?.ours.destroy();
      throw error;
    } finally {
      pair?.theirs.destroy(); // the child has its own of it
    }
    const child = this.#process;
    this.stdout = pair?.ours ?? socket(child.stdout);
    const drained = this.#drain(line);
    this.spawned = new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    this.exited = new Promise((resolve) => {
      child.once("error", () => {
        if (child.pid === undefined) resolve({ code: null, signal: null });
      });
      child.once("exit", (code, signal) => {
        void within(drained, DRAINING).then(() => resolve({ code, signal }));
      });
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get stdin(): Socket {
    return socket(this.#process.stdin);
  }

  /** The last lines of standard error. */
  get tail(): string {
    return this.#tail.join("\n");
  }

  /** Whether the child keeps this process alive. */
  hold(held: boolean): void {
    const handles = [this.#process, this.stdin, this.stdout, socket(this.#process.stderr)];
    for (const handle of handles) {
      if (held) handle.ref();
      else handle.unref();
    }
  }

  /** How the child has ended, undefined if it has not after so many milliseconds. */
  async exit(patience: number): Promise<Exit | undefined> {
    return within(this.exited, patience);
  }

  /** Waits so many milliseconds for the child to end by itself, then terminates it, then kills it. */
  async end(patience: number): Promise<Exit> {
    const exit = await this.exit(patience);
    if (exit) return exit;
    this.#process.kill("SIGTERM");
    const terminated = await this.exit(TERMINATING);
    if (terminated) return terminated;
    this.kill();
    return this.exited;
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Gives the pipes back. After the end. */
  dispose(): void {
    for (const stream of [this.stdin, this.stdout, this.#process.stderr]) stream.destroy();
  }

  #drain(line: (text: string) => void): Promise<void> {
    const lines = createInterface({ input: this.#process.stderr, crlfDelay: Infinity });
    lines.on("line", (text) => {
      const entry = text.slice(0, LINE_MAX);
      if (this.#tail.push(entry) > TAIL_LINES) this.#tail.shift();
      line(entry);
    });
    this.#process.stderr.on("error", () => lines.close()); // as its end
    return new Promise((resolve) => lines.once("close", resolve));
  }
}

/** Pipes to children are sockets, though their types do not say so. */
function socket(stream: Readable | Writable): Socket {
  return stream as unknown as Socket;
}

/** What `promise` gives within so many milliseconds, else undefined. */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
