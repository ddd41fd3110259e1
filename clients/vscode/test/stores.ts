import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

import { spawn } from "udist-plugin";
import type { Plugin, SpawnOptions } from "udist-plugin";

import type { Restarts } from "../src/model/restarts.js";
import { Store } from "../src/model/store.js";

/** A folder that is removed after the tests of the file. */
export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "udist-vscode-"));
  after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Watched {
  readonly store: Store;
  readonly log: string[];
  /** The targets of the requests so far. */
  readonly asked: string[];
}

/** A store in a folder, or of a command, that is closed after the tests of the file. */
export function watched(folder: string, { command, restarts }: { command?: string[]; restarts?: Restarts } = {}): Watched {
  const log: string[] = [];
  const asked: string[] = [];
  const start = async (options: SpawnOptions): Promise<Plugin> => {
    const plugin = await spawn(options);
    const { fetch } = plugin;
    const value: typeof fetch = (input, init) => {
      const { pathname, search } = new URL(input);
      asked.push(pathname + search);
      return fetch(input, init);
    };
    return Object.defineProperty(plugin, "fetch", { value });
  };
  const config = { version: "0.1", storage: { filesystem: { rootdirectory: folder } } };
  const observer = { log: (line: string) => void log.push(line), changed: () => undefined };
  const store = new Store({ name: "local", config: () => config, command }, observer, restarts, start);
  after(() => store.close());
  return { store, log, asked };
}
