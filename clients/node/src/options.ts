import { FILES } from "./link/files.js";
import type { Connection } from "./wire/connection.js";
import { DECLARED_CREDIT, VERSION as PROTOCOL } from "./wire/constants.js";
import { IMPLEMENTATION } from "./version.js";

/**
 * What to spawn, and how to configure the registry. All are optional. Of the times, `Infinity`, or any of more than
 * 2^31 - 1 milliseconds, sets no limit.
 */
export interface SpawnOptions {
  /**
   * The content of a distribution configuration file, as YAML text or as an object. Without it, the command determines
   * the configuration.
   */
  readonly config?: string | object | undefined;
  /**
   * The `REGISTRY_*` variables for the plugin; other names are ignored, so you can pass `process.env`. They replace all
   * of those in the plugin's own environment, even if you pass none, and do not appear in any process's environment.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * The command to spawn and its arguments. The default is UDIST_PLUGIN, split into words as a shell does but without
   * expansion; else the plugin in the npm package for this platform; else udist-plugin on PATH; else
   * python3 -P -m udist_plugin. If the package is missing, a warning says which other plugin is used. A command that
   * this library finds runs in a process group of its own, so that Ctrl-C does not end the plugin before the caller. A
   * command that you name, here or in UDIST_PLUGIN, stays in the caller's process group.
   */
  readonly command?: readonly string[] | undefined;
  /** Aborts the start. It has no effect once the plugin is ready. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Receives each line of the plugin's standard error, and each warning about the configuration once, even if the
   * configuration sets the log's level to error. Without it, warnings and errors are printed with `console.warn`, and
   * other lines are dropped.
   */
  readonly log?: ((line: string) => void) | undefined;
  /** How long to wait for the plugin to become ready, in milliseconds. The default is 30,000. */
  readonly startTimeout?: number | undefined;
  /**
   * How long `close` waits for open requests, and then for the plugin to end by itself, in milliseconds each. The
   * default is 10,000.
   */
  readonly closeTimeout?: number | undefined;
  /**
   * How long `fetch` waits for a slot of the plugin while responses are left unread and nothing moves, in milliseconds.
   * Then it rejects with a `SlotTimeoutError`. The default is 60,000. A plugin has 1,024 slots, unless its
   * configuration says otherwise. A long response occupies one until it has been read or cancelled.
   */
  readonly slotTimeout?: number | undefined;
  /**
   * How much memory all responses together may use for reading ahead, in bytes, beyond 256 KiB each. The default is
   * 64 MiB.
   */
  readonly memory?: number | undefined;
  /**
   * Lets the plugin redirect requests for blobs to its store; `fetch` then downloads them from there over the network,
   * without the request's credentials. Use it if this process can reach the store. The default is false. If a download
   * fails, `fetch` or the response's body rejects with a `RedirectError`.
   */
  readonly followRedirects?: boolean | undefined;
  /**
   * Whether this process and the plugin open each other's files instead of sending their content: the file of a blob,
   * and a request's body that is an `fs.ReadStream`. This requires Linux, and a plugin that runs on the same machine as
   * the same user. The default is true for a plugin that this library finds, and false for a command. Content that cannot be
   * shared is sent.
   */
  readonly files?: boolean | undefined;
  /**
   * The path of a new file that records which frames are exchanged with the plugin, without content and without
   * secrets; see `udist help trace`. The default is the environment variable UDIST_TRACE; an empty text records
   * nothing. If the file exists, the trace goes to `FILE.2`, and so on.
   */
  readonly trace?: string | undefined;
}

/** The caller's settings. `shares` says whether files are shared. */
export function settingsOf(
  { config, env, followRedirects }: SpawnOptions,
  shares: boolean,
): Parameters<Connection["settings"]>[0] {
  return {
    versions: [PROTOCOL],
    implementation: IMPLEMENTATION,
    processId: process.pid,
    capabilities: [DECLARED_CREDIT, ...(followRedirects ? ["redirect"] : []), ...(shares ? [FILES] : [])],
    ...(config !== undefined && { configuration: typeof config === "string" ? config : JSON.stringify(config) }),
    ...(env && { environment: { variables: variablesOf(env) } }),
  };
}

function variablesOf(env: NonNullable<SpawnOptions["env"]>): Record<string, string> {
  const named = Object.entries(env).filter(([name]) => name.startsWith("REGISTRY_"));
  return Object.fromEntries(named.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
