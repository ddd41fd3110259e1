import type { Connection } from "./wire/connection.js";
import { VERSION as PROTOCOL } from "./wire/constants.js";
import { IMPLEMENTATION } from "./version.js";

/** What to spawn, and how the registry in it is set up. Without any of it, the default plugin with its own. */
export interface SpawnOptions {
  /**
   * distribution's configuration file, as YAML text or as the same in objects. Without it the configuration is left
   * to the command.
   */
  readonly config?: string | object | undefined;
  /**
   * `REGISTRY_*` variables; others are left out, so `process.env` may be given. They replace all of the plugin's own,
   * even when there are none, and never become a process's environment.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * The words to spawn instead of the default: UDIST_PLUGIN, split as a shell does but without expansion; else
   * udist-plugin on PATH; else python3 -P -m udist_plugin. A command that was found on PATH runs in a process group of
   * its own, so that Ctrl-C reaches the caller first; one that is given stays in the caller's.
   */
  readonly command?: readonly string[] | undefined;
  /** Ends the wait for the plugin to be ready; it has no effect afterwards. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Gets each line of the plugin's standard error. Without it, warnings and errors in the plugin's log are shown by
   * `console.warn`, and all else is dropped.
   */
  readonly log?: ((line: string) => void) | undefined;
  /** Bounds the wait for the plugin to be ready, in milliseconds; 30 000 by default. */
  readonly startTimeout?: number | undefined;
  /** Bounds each wait of `close`: for open exchanges, and for the plugin to end by itself; 10 000 ms by default. */
  readonly closeTimeout?: number | undefined;
  /**
   * Bounds how long a `fetch` waits for one of the plugin's slots, in milliseconds, while responses are left unread and
   * nothing moves; 60 000 by default. Then it rejects with a `SlotTimeoutError`. A plugin has 64 slots or more; a
   * response of more than 256 KiB keeps its slot until it was read or cancelled.
   */
  readonly slotTimeout?: number | undefined;
  /**
   * Bounds, in bytes, what responses may have been read ahead beyond 256 KiB each, all together; 64 MiB by default.
   */
  readonly memory?: number | undefined;
  /**
   * Lets the plugin answer for a blob with where its store has it, and fetches it there over the network, without the
   * request's credentials; false by default. For who reaches the store as well as the plugin does. What fails there
   * rejects with a `RedirectError`.
   */
  readonly followRedirects?: boolean | undefined;
}

/** The caller's settings. */
export function settingsOf({ config, env, followRedirects }: SpawnOptions): Parameters<Connection["settings"]>[0] {
  return {
    versions: [PROTOCOL],
    implementation: IMPLEMENTATION,
    processId: process.pid,
    capabilities: followRedirects ? ["redirect"] : [],
    ...(config !== undefined && { configuration: typeof config === "string" ? config : JSON.stringify(config) }),
    ...(env && { environment: { variables: variablesOf(env) } }),
  };
}

function variablesOf(env: NonNullable<SpawnOptions["env"]>): Record<string, string> {
  const named = Object.entries(env).filter(([name]) => name.startsWith("REGISTRY_"));
  return Object.fromEntries(named.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
