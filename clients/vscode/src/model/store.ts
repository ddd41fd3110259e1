import { PluginDiedError, spawn } from "udist-plugin";
import type { Plugin, SpawnOptions } from "udist-plugin";
import { Registry } from "udist-plugin/oci";

import { Restarts } from "./restarts.js";
import type { StoreSettings } from "./settings.js";

/** How long a plugin may take to finish at the end; VS Code gives all of `deactivate` five seconds. */
const CLOSING = 2_000;

export type StoreState = "stopped" | "starting" | "running" | "failed";

/** What a store tells of itself. */
export interface Observer {
  log(line: string): void;
  changed(store: Store): void;
}

/** The plugin died too often, and is not started again until somebody asks for it. */
export class RestartsError extends Error {
  override readonly name = "RestartsError";
}

/** A store whose plugin runs from the first request on, and is spawned again for the next request when it has died. */
export class Store {
  readonly name: string;
  state: StoreState = "stopped";
  #plugin: Promise<Plugin> | undefined;
  #closed = false;
  readonly #stop = new AbortController();

  constructor(
    private readonly settings: StoreSettings,
    private readonly observer: Observer,
    private readonly restarts = new Restarts(),
    private readonly start: (options: SpawnOptions) => Promise<Plugin> = spawn,
  ) {
    this.name = settings.name;
  }

  /** The registry; `signal` ends what it is asked. `done` hears of each request that was answered. */
  registry(signal: AbortSignal, done?: (method: string) => void): Registry {
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const response = await this.#fetch(signal, input, init);
      if (response.ok) done?.(init?.method ?? "GET");
      return response;
    };
    return new Registry({ fetch });
  }

  /** A request that met a plugin's end is sent once more, to the next plugin, if that is safe. */
  async #fetch(signal: AbortSignal, ...[input, init]: Parameters<typeof globalThis.fetch>): Promise<Response> {
    const plugin = await within(signal, this.#running());
    try {
      return await plugin.fetch(input, { ...init, signal });
    } catch (error) {
      if (!(error instanceof PluginDiedError) || !error.retryable || init?.body) throw error;
      await within(signal, plugin.exited);
    }
    return (await within(signal, this.#running())).fetch(input, { ...init, signal });
  }

  /** The process id of the plugin that runs. */
  async pid(): Promise<number | undefined> {
    return (await this.#plugin?.catch(() => undefined))?.pid;
  }

  /** Ends the plugin; a person wants the next request to start another. */
  async restart(): Promise<void> {
    this.restarts.forget();
    await end(this.#plugin);
  }

  /** Ends the plugin for good, in less than five seconds. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop.abort(new Error(`the store ${this.name} was closed`));
    await end(this.#plugin);
  }

  #running(): Promise<Plugin> {
    if (this.#closed) return Promise.reject(new Error(`the store ${this.name} is no longer among the settings`));
    if (this.#plugin) return this.#plugin;
    const starting = this.#spawn();
    this.#plugin = starting;
    const ended = (state: StoreState) => () => {
      if (this.#plugin !== starting) return;
      this.#plugin = undefined;
      this.#become(state);
    };
    starting.then((plugin) => plugin.exited.then(ended("stopped")), ended("failed"));
    return starting;
  }

  async #spawn(): Promise<Plugin> {
    if (!this.restarts.take()) {
      throw new RestartsError(`the plugin of ${this.name} ended again and again; see the log, then restart it`);
    }
    this.#become("starting");
    const log = (line: string) => this.observer.log(`[${this.name}] ${line}`);
    const { config, command } = this.settings;
    const options = { config: config(), command, log, closeTimeout: CLOSING, signal: this.#stop.signal };
    const plugin = await this.start(options);
    void plugin.exited.then(({ code, signal }) =>
      log(`the plugin, process ${plugin.pid}, ended with ${signal ?? `status ${code ?? "unknown"}`}`),
    );
    log(`the plugin runs as process ${plugin.pid}`);
    this.#become("running");
    return plugin;
  }

  #become(state: StoreState): void {
    this.state = state;
    this.observer.changed(this);
  }
}

/** `promise`, given up when the signal is aborted. */
export function within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Ends a plugin: what is open is finished for a while, and then cut off. */
async function end(starting: Promise<Plugin> | undefined): Promise<void> {
  const plugin = await starting?.catch(() => undefined);
  if (!plugin) return;
  const late = setTimeout(() => void plugin.destroy(), CLOSING);
  await plugin.close().catch(() => undefined); // what there is to say of it is in the log
  clearTimeout(late);
}
