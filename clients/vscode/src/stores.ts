import { readFileSync } from "node:fs";

import * as vscode from "vscode";

import { failureOf, isCancelled } from "./model/failures.js";
import { storesIn } from "./model/settings.js";
import { Store } from "./model/store.js";

/** The stores of the settings, with their log, the status bar and notifications. */
export class Stores implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("udist", { log: true });
  readonly #status = vscode.window.createStatusBarItem("udist.status", vscode.StatusBarAlignment.Left);
  readonly #changed = new vscode.EventEmitter<void>();
  /** The settings have changed, or the folder was trusted. */
  readonly onDidChange = this.#changed.event;
  readonly #subscriptions: vscode.Disposable[];
  #closing: Promise<unknown> = Promise.resolve();
  all: readonly Store[] = [];

  constructor() {
    this.#status.name = "udist";
    this.#status.command = "udist.stores.focus";
    this.#read();
    this.#subscriptions = [
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("udist")) this.#reread();
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.#reread()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#reread()),
    ];
  }

  get pageSize(): number {
    return vscode.workspace.getConfiguration("udist").get("pageSize", 100);
  }

  /** How long a store may take to answer, in milliseconds. */
  get timeout(): number {
    return vscode.workspace.getConfiguration("udist").get("timeout", 30) * 1000;
  }

  named(name: string): Store {
    const store = this.all.find((each) => each.name === name);
    if (!store) throw new Error(`no store ${name} is among the settings`);
    return store;
  }

  /** Logs an error and shows it, with a button that opens what helps. Returns its message. */
  failed(error: unknown, store?: Store): string {
    const { message, opens } = failureOf(error, store?.name);
    if (isCancelled(error)) return message;
    this.log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    const button = opens === "setting" ? "Open Setting" : "Show Log";
    void vscode.window.showErrorMessage(message, button).then((chosen) => {
      if (chosen) void vscode.commands.executeCommand(opens === "setting" ? "udist.openSetting" : "udist.showLog");
    });
    return message;
  }

  async restart(): Promise<void> {
    await Promise.all(this.all.map((store) => store.restart()));
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.all.map((store) => store.close()));
    this.all = [];
    await Promise.all([closing, this.#closing]);
  }

  dispose(): void {
    for (const each of [...this.#subscriptions, this.log, this.#status, this.#changed]) each.dispose();
  }

  #reread(): void {
    this.#closing = Promise.all([this.#closing, ...this.all.map((store) => store.close())]);
    this.#read();
    this.#changed.fire();
  }

  #read(): void {
    const configuration = vscode.workspace.getConfiguration("udist");
    const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === "file");
    const options = {
      base: folder?.uri.fsPath,
      command: configuration.get<string[]>("command", []),
      read: (path: string) => readFileSync(path, "utf8"),
    };
    const observer = { log: (line: string) => this.log.info(line), changed: () => this.#show() };
    try {
      this.all = storesIn(configuration.get("stores"), options).map((settings) => new Store(settings, observer));
    } catch (error) {
      this.all = [];
      this.failed(error);
    }
    this.#show();
  }

  #show(): void {
    const running = this.all.filter(({ state }) => state === "running").length;
    const failed = this.all.filter(({ state }) => state === "failed").map(({ name }) => name);
    const trusted = vscode.workspace.isTrusted ? "" : ", read-only until the folder is trusted";
    const of = `${running} of ${this.all.length} stores open${trusted}`;
    this.#status.text = failed.length > 0 ? `$(warning) udist: ${failed.join(", ")}` : "$(package) udist";
    this.#status.tooltip = failed.length > 0 ? `Not available: ${failed.join(", ")}; ${of}` : of;
    this.#status.accessibilityInformation = { label: `udist, ${this.#status.tooltip}` };
    if (this.all.length > 0) this.#status.show();
    else this.#status.hide();
  }
}
