import { howEnded } from "./child/child.js";
import type { Exit } from "./child/child.js";
import { ClosedError, PluginDiedError } from "./errors.js";
import { fetchOver, sendOver } from "./fetch.js";
import type { SpawnOptions } from "./options.js";
import type { Sent } from "./request.js";
import { Session } from "./session.js";

const CLOSING = 10_000;

/**
 * Spawns a plugin and waits until it has accepted its configuration and is ready. It runs until `close` or `destroy`,
 * or until this process ends. An idle plugin does not keep this process alive.
 *
 * Rejects with a `PluginNotFoundError`, `HandshakeError`, `VersionError`, `ConfigurationError`, `StdoutTextError` or
 * `PluginDiedError`, or with the reason of the signal.
 */
export async function spawn(options: SpawnOptions = {}): Promise<Plugin> {
  return new Plugin(await Session.start(options), options);
}

/** A registry in a child process, for any number of requests at once. */
export class Plugin implements AsyncDisposable {
  /**
   * The platform's `fetch`, except that requests go to the plugin. The URL can name any host; the registry uses it only
   * for URLs in its responses. A path such as `/v2/` stands for that path on `http://localhost`.
   *
   * Rejects with a `UdistError`, with the reason of an aborted signal, or with a `TypeError` for arguments that the
   * platform's `fetch` rejects too. For redirects that it would not follow, the `cause` is a `RedirectError`.
   */
  readonly fetch: typeof globalThis.fetch;
  /** @internal As `fetch`, for a request that may be none of the platform's. */
  readonly send: (sent: Sent, signal: AbortSignal) => Promise<Response>;
  /** Resolves once the plugin has ended; never rejects. Awaiting it does not keep this process alive. */
  readonly exited: Promise<Exit>;
  /** Whether `fetch` follows the registry's redirects to its store. */
  readonly followRedirects: boolean;
  readonly #closeTimeout: number;
  #closing: Promise<void> | undefined;
  #destroyed = false;

  /** @internal */
  constructor(
    private readonly session: Session,
    { closeTimeout = CLOSING, followRedirects = false }: SpawnOptions,
  ) {
    this.#closeTimeout = closeTimeout;
    this.followRedirects = followRedirects;
    this.fetch = (input, init) => fetchOver(session.link, followRedirects, input, init);
    this.send = (sent, signal) => sendOver(session.link, followRedirects, sent, signal);
    this.exited = session.child.exited;
  }

  /** The plugin's process id. */
  get pid(): number {
    return this.session.child.pid;
  }

  /**
   * Waits for responses that are still being read, cancels those that are not, and ends the plugin: by closing its
   * standard input, then with SIGTERM, then with SIGKILL. Later calls return the same promise. Rejects with a
   * `PluginDiedError` if the plugin does not end cleanly.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Fails every open request with `error` and kills the plugin. Resolves once it has ended, or after two seconds if the
   * system does not end it.
   */
  destroy(error?: Error | null): Promise<void> {
    this.#destroyed = true;
    const ended = this.session.destroy(error ?? new ClosedError("the plugin was destroyed"));
    this.#closing ??= ended;
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { link, child } = this.session;
    const died = link.error !== undefined; // of what, was told before
    const exit = await this.session.close(this.#closeTimeout);
    if (died || this.#destroyed || exit?.code === 0) return;
    const how = exit ? howEnded(exit) : `is still running as process ${this.pid}`;
    const message = `the plugin did not end cleanly after close: it ${how}`;
    throw new PluginDiedError(message, { exitCode: exit?.code, signal: exit?.signal, stderr: child.tail });
  }
}
