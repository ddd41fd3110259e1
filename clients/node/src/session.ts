import { Child, howEnded } from "./child/child.js";
import type { Exit } from "./child/child.js";
import { defaultCommand, HINT } from "./child/command.js";
import type { Command } from "./child/command.js";
import { socketPair } from "./child/socket_pair.js";
import type { SocketPair } from "./child/socket_pair.js";
import {
  ClosedError,
  ConfigurationError,
  HandshakeError,
  PluginDiedError,
  PluginNotFoundError,
  ProtocolError,
  StdoutTextError,
  UdistError,
  VersionError,
} from "./errors.js";
import type { ErrorDetails } from "./errors.js";
import { Refusal } from "./link/errors.js";
import { PeerFiles } from "./link/files.js";
import { Link } from "./link/link.js";
import { Log } from "./log.js";
import { settingsOf } from "./options.js";
import type { SpawnOptions } from "./options.js";
import { after } from "./timer.js";
import { Recorder } from "./trace/recorder.js";
import { namingRelease, otherRelease } from "./version.js";
import { ConnectionFault, LocalFault } from "./wire/errors.js";
import { Code } from "./wire/generated/frame_pb.js";

/** How long a plugin whose output has ended may take to end itself, in milliseconds. */
const DYING = 2000;
/** How long draining waits, without a frame or content being read, for responses that nobody reads. */
const UNREAD = 500;
const MEMORY = 64 << 20;
const SLOT_TIMEOUT = 60_000;

/** One spawned plugin and the link to it. */
export class Session {
  readonly child: Child;
  readonly link: Link;
  readonly #command: Command;
  readonly #log: Log;
  #closing: unknown;

  private constructor(command: Command, options: SpawnOptions, pair: SocketPair | undefined) {
    this.#command = command;
    this.#log = new Log(options.log);
    if (command.note) this.#log.note(command.note);
    this.child = new Child(command, (line) => this.#log.line(line), pair);
    this.link = new Link(this.child.stdout, this.child.stdin, {
      memory: options.memory ?? MEMORY,
      slotTimeout: options.slotTimeout ?? SLOT_TIMEOUT,
      explain: (cause) => this.#explain(cause),
      hold: (held) => this.child.hold(held),
      recorder: this.#recorder(options.trace ?? process.env.UDIST_TRACE),
    });
  }

  /** Spawns a plugin and waits until it is ready. */
  static async start(options: SpawnOptions): Promise<Session> {
    options.signal?.throwIfAborted();
    const [program, ...words] = options.command ?? [];
    const command: Command = program === undefined ? defaultCommand() : { words: [program, ...words], own: false };
    const shares = process.platform === "linux" && (options.files ?? command.own);
    const settings = settingsOf(options, shares);
    const pair = await socketPair();
    const session = starting(() => new Session(command, options, pair));
    try {
      await session.#shakeHands(settings, options);
      if (shares) session.link.files = PeerFiles.of(session.link.connection.peer, session.child.pid);
      const { warnings = [], implementation = "" } = session.link.connection.peer ?? {};
      session.#log.warn(warnings, session.child.tail);
      const other = otherRelease(implementation);
      if (other) session.#log.note(other);
      return session;
    } catch (error) {
      await session.destroy(error);
      throw error;
    }
  }

  /** Lets open exchanges finish, and ends the plugin. Undefined if it could not be ended. */
  async close(patience: number): Promise<Exit | undefined> {
    this.#closing ??= new ClosedError("the plugin was closed");
    return this.link.hold.during(async () => {
      await this.link.drain(patience, UNREAD);
      const exit = await this.child.end(patience);
      this.link.end(this.#closing);
      return exit;
    });
  }

  /** Fails all that is open with `error`, and kills the plugin. */
  async destroy(error: unknown): Promise<void> {
    this.#closing ??= error;
    this.link.end(error);
    await this.link.hold.during(() => this.child.kill());
  }

  #recorder(path: string | undefined): Recorder | undefined {
    return path ? Recorder.open(path, this.#command.words[0], (text) => this.#log.note(text)) : undefined;
  }

  async #shakeHands(settings: ReturnType<typeof settingsOf>, options: SpawnOptions): Promise<void> {
    await this.child.spawned.catch((error: unknown) => {
      throw notStarted(error);
    });
    const { startTimeout = 30_000, signal } = options;
    const late = after(startTimeout, () => {
      const program = JSON.stringify(this.#command.words[0]);
      const message = `${program} did not answer the handshake within ${startTimeout} ms`;
      this.link.end(new HandshakeError(message, { stderr: this.child.tail }));
    });
    const abort = (): void => this.link.end(signal?.reason);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      await this.link.shakeHands(settings);
    } catch (error) {
      if (!(error instanceof LocalFault)) throw error;
      throw new ConfigurationError(`the configuration cannot be sent: ${error.message}`);
    } finally {
      clearTimeout(late);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Says why the link is over, and sees to it that the plugin is, too. */
  async #explain(cause: unknown): Promise<unknown> {
    if (this.#closing !== undefined) return this.#closing;
    const cut = cause instanceof ConnectionFault && cause.breach === "truncated";
    const broke = cause !== undefined && !(cause instanceof Refusal) && !cut;
    const exit = await (broke ? this.child.kill() : this.child.exit(DYING));
    if (!exit) void this.child.kill();
    const details: ErrorDetails = {
      exitCode: exit?.code,
      signal: exit?.signal,
      stderr: this.child.tail,
      cause,
    };
    if (cause instanceof Refusal) return refused(cause, details);
    const killed = cut && exit && exit.code !== 0; // while it wrote a frame
    if (cause instanceof ConnectionFault && !killed) return broken(cause, this.link.ready, details);
    if (cause instanceof Error && !killed) return new PluginDiedError(cause.message, details);
    if (this.#command.own && !this.link.ready && this.child.tail.includes("No module named udist_plugin")) {
      return new PluginNotFoundError(`python3 has no udist_plugin; ${HINT}`, details);
    }
    const how = exit ? howEnded(exit) : "closed its output, but is still running";
    return new PluginDiedError(`the plugin ${how}`, details);
  }
}

/** What `start` gives; what the platform refuses at once as what it tells later is that there is no plugin. */
function starting<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    throw notStarted(error);
  }
}

function notStarted(error: unknown): PluginNotFoundError {
  const why = error instanceof Error ? error.message : String(error);
  return new PluginNotFoundError(`cannot start the plugin: ${why}; ${HINT}`, { cause: error });
}

function refused({ code, message }: Refusal, details: ErrorDetails): UdistError {
  switch (code) {
    case Code.INVALID_ARGUMENT:
      return new ConfigurationError(message, details);
    case Code.FAILED_PRECONDITION:
      return new VersionError(namingRelease(message), details);
    case Code.UNAVAILABLE: // a signal told it to end
      return new PluginDiedError(message, details);
    default:
      return new HandshakeError(message, details);
  }
}

function broken(fault: ConnectionFault, ready: boolean, details: ErrorDetails): UdistError {
  if (fault.breach === "version") return new VersionError(namingRelease(fault.message), details);
  if (fault.text) {
    const text = Buffer.from(fault.text).toString("utf8").trimEnd();
    return new StdoutTextError(`the plugin's standard output contained text: ${text}`, details);
  }
  const kind = ready ? ProtocolError : HandshakeError;
  return new kind(`the plugin broke the protocol: ${fault.message}`, details);
}
