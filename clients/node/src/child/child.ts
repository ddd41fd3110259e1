import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";

import { within } from "../timer.js";
import type { Command } from "./command.js";
import { Lines } from "./lines.js";
import type { SocketPair } from "./socket_pair.js";

const TAIL_LINES = 20;
/** How long a child may take to end after TERM, and after KILL, in milliseconds. */
const TERMINATING = 2000;
/**
 * Turns of the event loop in which a dead child's pipes are still read: one ends, and each other reads up to 2 MiB of
 * each, more than they hold. A grandchild may keep them open, and even write to them.
 */
const TURNS = 3;

/** How a process ended: with an exit code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How a process ended, as the end of a sentence. */
export function howEnded({ code, signal }: Exit): string {
  return signal ? `was ended by ${signal}` : `ended with exit status ${code}`;
}

/** A spawned child whose standard error is drained, and that can be ended with bounded waits. */
export class Child {
  /** Settles once the child has ended and its output was read, though a grandchild may hold it open; never rejects. */
  readonly exited: Promise<Exit>;
  /** Settles once it is known whether there is a process; rejects with the operating system's error if not. */
  readonly spawned: Promise<void>;
  /** The child's standard output. The bytes of a `data` event are good until it is over. */
  readonly stdout: Socket;
  readonly stdin: Socket;
  readonly #stderr: Socket;
  readonly #process: ChildProcess;
  readonly #tail: string[] = [];

  /**
   * In a group of its own Ctrl-C on the terminal does not reach the child. `line` gets its standard error, and `pair`
   * is for its standard output, instead of a pipe.
   */
  constructor({ words: [program, ...words], own }: Command, line: (text: string) => void, pair?: SocketPair) {
    const detached = own && process.platform !== "win32";
    try {
      const stdio: StdioOptions = ["pipe", pair?.theirs ?? "pipe", "pipe"];
      this.#process = spawn(program, words, { stdio, detached, windowsHide: true });
    } catch (error) {
      pair?.ours.destroy();
      throw error;
    } finally {
      pair?.theirs.destroy(); // the child has its own of it
    }
    const child = this.#process;
    const failed = new Promise<Error>((resolve) => child.on("error", resolve)); // `kill` may fail as well, later
    this.stdin = socket(child.stdin);
    this.stdout = pair?.ours ?? socket(child.stdout);
    this.#stderr = socket(child.stderr);
    const drained = this.#drain(line);
    this.exited = this.#finish(endOf(child, failed), drained);
    this.spawned = new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      void failed.then(reject);
    });
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** The last lines of standard error. */
  get tail(): string {
    return this.#tail.join("\n");
  }

  /** Whether the child keeps this process alive. */
  hold(held: boolean): void {
    for (const handle of [this.#process, this.stdin, this.stdout, this.#stderr]) {
      if (held) handle.ref();
      else handle.unref();
    }
  }

  /** How the child has ended, undefined if it has not after so many milliseconds. */
  async exit(patience: number): Promise<Exit | undefined> {
    return within(this.exited, patience);
  }

  /**
   * Waits so many milliseconds for the child to end by itself, then terminates it, then kills it. Undefined if it has
   * not ended even then.
   */
  async end(patience: number): Promise<Exit | undefined> {
    const exit = await this.exit(patience);
    if (exit) return exit;
    this.#process.kill("SIGTERM");
    const terminated = await this.exit(TERMINATING);
    if (terminated) return terminated;
    return this.kill();
  }

  /**
   * Kills the child. One that may not be killed, as it is another user's, is told by the end of its input. Undefined if
   * it has not ended soon afterwards.
   */
  async kill(): Promise<Exit | undefined> {
    this.#process.kill("SIGKILL");
    this.stdin.destroy();
    return this.exit(TERMINATING);
  }

  /** Reads what the child has left in its pipes, and gives them back. */
  async #finish(ended: Promise<Exit>, drained: Promise<void>): Promise<Exit> {
    const exit = await ended;
    for (let turn = 0; turn < TURNS; turn++) await setImmediate();
    for (const stream of [this.stdin, this.stdout, this.#stderr]) stream.destroy();
    await drained;
    return exit;
  }

  async #drain(line: (text: string) => void): Promise<void> {
    const lines = new Lines((text) => {
      if (this.#tail.push(text) > TAIL_LINES) this.#tail.shift();
      line(text);
    });
    this.#stderr.on("data", (chunk: Buffer) => lines.write(chunk));
    this.#stderr.on("error", () => undefined); // as its end
    await new Promise((resolve) => this.#stderr.once("close", resolve));
    lines.end();
  }
}

/** How a process ends, or that there is none. */
function endOf(child: ChildProcess, failed: Promise<Error>): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    void failed.then(() => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}

/** Pipes to children are sockets, though their types do not say so; none are made where no process is. */
function socket(stream: Readable | Writable | null | undefined): Socket {
  return stream instanceof Socket ? stream : new Socket();
}
