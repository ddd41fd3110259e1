import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

/** How long code-server may take to start, and to end, in milliseconds. */
const STARTING = 120_000;
const ENDING = 10_000;

/** What the tests run with; tests/clients/test_vscode.py sets it. */
export const { UDIST_CODE_SERVER = "", UDIST_VSIX = "", UDIST_SCREENSHOTS = "" } = process.env;

export interface HostOptions {
  readonly settings: object;
  /** Whether every folder is trusted. */
  readonly trusted?: boolean;
  /** The extension to install. */
  readonly vsix?: string;
}

/** code-server on the loopback interface, with a home, settings and extensions of its own. */
export class Host implements AsyncDisposable {
  private constructor(
    readonly home: string,
    /** The folder that a workbench opens. */
    readonly folder: string,
    private readonly child: ChildProcess,
    private readonly url: string,
  ) {}

  static async start({ settings, trusted = true, vsix = UDIST_VSIX }: HostOptions): Promise<Host> {
    const home = await mkdtemp(join(tmpdir(), "udist-workbench-"));
    const folder = join(home, "folder");
    await mkdir(folder);
    // The server's own settings, too: those of the scope "machine" count only there.
    for (const scope of ["User", "Machine"]) {
      await mkdir(join(home, "data", scope), { recursive: true });
      await writeFile(join(home, "data", scope, "settings.json"), JSON.stringify({ ...QUIET, ...settings }));
    }
    const places = ["--user-data-dir", join(home, "data"), "--extensions-dir", join(home, "extensions")];
    const installed = codeServer(home, [...places, "--install-extension", vsix]);
    const [code] = (await once(installed, "exit")) as [number | null];
    if (code !== 0) throw new Error(`the extension was not installed: status ${code ?? "none"}`);
    const port = await freePort();
    const trust = trusted ? ["--disable-workspace-trust"] : [];
    const server = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"];
    const child = codeServer(home, [...places, ...server, ...trust]);
    const host = new Host(home, folder, child, `http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`);
    try {
      await host.#listening();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  get address(): string {
    return this.url;
  }

  /** The process ids of plugins: what runs with this home, and is no part of code-server. */
  async plugins(): Promise<number[]> {
    return (await this.#processes()).filter(({ command }) => command.includes("udist_plugin")).map(({ pid }) => pid);
  }

  /** Waits until one plugin runs, which is none that ran before, and returns its process id. */
  async onePlugin(before?: number): Promise<number> {
    const deadline = performance.now() + STARTING;
    for (;;) {
      const [plugin, ...more] = await this.plugins();
      if (plugin !== undefined && plugin !== before && more.length === 0) return plugin;
      if (performance.now() > deadline) throw new Error(`plugins that run: ${[plugin, ...more].join(" ")}; before ${before ?? "none"}`);
      await setTimeout(100);
    }
  }

  async #processes(): Promise<{ pid: number; command: string }[]> {
    const found = [];
    for (const name of await readdir("/proc")) {
      const [environment, command] = await Promise.all(
        ["environ", "cmdline"].map((file) => readFile(join("/proc", name, file), "utf8").catch(() => "")),
      );
      if (environment?.includes(`HOME=${this.home}\0`)) found.push({ pid: Number(name), command: command ?? "" });
    }
    return found;
  }

  /** Ends code-server and removes its home. Fails if a process that it started is left after a while. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const late = globalThis.setTimeout(() => child.kill("SIGKILL"), ENDING);
      await ended;
      clearTimeout(late);
    }
    const deadline = performance.now() + ENDING;
    let left = await this.#processes();
    while (left.length > 0 && performance.now() < deadline) {
      await setTimeout(100);
      left = await this.#processes();
    }
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    await rm(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    if (left.length > 0) throw new Error(`left behind: ${left.map(({ command }) => command).join("; ")}`);
  }

  async #listening(): Promise<void> {
    const { stdout } = this.child;
    if (!stdout) throw new Error("code-server has no output");
    const late = globalThis.setTimeout(() => this.child.kill("SIGKILL"), STARTING);
    const said: string[] = [];
    for await (const line of createInterface(stdout)) {
      said.push(line);
      if (!line.includes("HTTP server listening")) continue;
      clearTimeout(late);
      stdout.resume();
      return;
    }
    throw new Error(`code-server did not start:\n${said.join("\n")}`);
  }
}

/** No welcome pages, and nothing that asks the network. */
const QUIET = {
  "workbench.startupEditor": "none",
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "telemetry.telemetryLevel": "off",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "workbench.enableExperiments": false,
  "git.enabled": false,
  "chat.disableAIFeatures": true,
};

function codeServer(home: string, options: readonly string[]): ChildProcess {
  const { PATH, UDIST_PLUGIN } = process.env;
  const env = { PATH, UDIST_PLUGIN, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home };
  const entry = join(UDIST_CODE_SERVER, "out", "node", "entry.js");
  return spawn(process.execPath, [entry, ...options], { env, stdio: ["ignore", "pipe", "ignore"] });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
