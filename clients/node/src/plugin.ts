import type { Exit } from "./child/child.js";
import { ClosedError, PluginDiedError } from "./errors.js";
import { fetchOver, sendOver } from "./fetch.js";
import type { SpawnOptions } from "./options.js";
import type { Sent } from "./request.js";
import { Session } from "./session.js";

const CLOSING = 10_000;

/**
 * Spawns a plugin and waits until it has accepted its configuration and is ready. It lives until `close` or
 * `destroy`, or as long as this process; while nothing is under way it does not keep this process alive.
 *
 * Rejects with a `PluginNotFoundError`, `HandshakeError`, `VersionError`, `ConfigurationError`, `StdoutTextError` or
 * `PluginDiedError`, or with the signal's reason.
 */
export async function spawn(options: SpawnOptions = {}): Promise<Plugin> {
  return new Plugin(await Session.start(options), options);
}

/** A registry in a child process. Any number of exchanges may go on at once. */
export class Plugin implements AsyncDisposable {
  /**
   * As the platform's `fetch`, whatever host a URL names; the host is only what the registry calls itself in its
   * answers. A bare path, `/v2/…`, is one on `http://localhost`. Rejects with a `UdistError`, with the reason of an
   * aborted signal, or with a `TypeError` for arguments that the platform's would refuse as well, and for redirects
   * that it would not follow: the cause is a `RedirectError`.
   */
  readonly fetch: typeof globalThis.fetch;
  /** @internal As `fetch`, for a request that may be none of the platform's. */
  readonly send: (sent: Sent, signal: AbortSignal) => Promise<Response>;
  /** How the plugin has ended, once it has; never rejects. An idle plugin that is awaited keeps nothing alive. */
  readonly exited: Promise<Exit>;
  /** Whether content that the registry leaves to its store is fetched there. */
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
   * Waits for the responses that are still being read, gives up those that are not, and ends the plugin: by the end
   * of its input, then by a signal, and at last by force. Twice is once. Rejects with a `PluginDiedError` if the
   * plugin did not end as it should.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Fails all that is under way with `error`, and kills the plugin; settles once it has ended. */
  destroy(error?: Error | null): Promise<void> {
    this.#destroyed = true;
    const ended = this.session.destroy(error ?? new ClosedError("the plugin was destroyed")).then(() => undefined);
    this.#closing ??= ended;
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { link, child } = this.session;
    const died = link.error !== undefined; // of what, was told before
    const { code, signal } = await this.session.close(this.#closeTimeout);
    if (died || this.#destroyed || code === 0) return;
    const how = signal ? `was ended by ${signal}` : `ended with exit status ${code}`;
    const message = `the plugin did not end cleanly after close: it ${how}`;
    throw new PluginDiedError(message, { exitCode: code, signal, stderr: child.tail });
  }
}
