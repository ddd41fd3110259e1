import * as vscode from "vscode";

import { titleOf } from "./model/layers.js";
import { shortOf, Tree } from "./model/tree.js";
import type { Node } from "./model/tree.js";
import type { Stores } from "./stores.js";

/** The view of the stores. */
export class StoresView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly #tree: Tree;
  readonly #changed = new vscode.EventEmitter<Node | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: vscode.TreeView<Node>;
  readonly #reread: vscode.Disposable;

  constructor(stores: Stores) {
    this.#tree = new Tree(stores.all, {
      get pageSize() {
        return stores.pageSize;
      },
      get timeout() {
        return stores.timeout;
      },
      failed: (error, store) => stores.failed(error, store),
    });
    this.#view = vscode.window.createTreeView("udist.stores", { treeDataProvider: this, canSelectMany: true });
    this.#reread = stores.onDidChange(() => {
      this.#tree.stores = stores.all;
      this.refresh();
    });
  }

  getChildren(node?: Node): Promise<Node[]> {
    return this.#tree.children(node);
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const item = new vscode.TreeItem(labelOf(node), stateOf(node));
    const description = descriptionOf(node);
    item.id = node.id;
    item.iconPath = new vscode.ThemeIcon(ICONS[node.kind]);
    item.contextValue = contextOf(node);
    if (description !== undefined) item.description = description;
    item.accessibilityInformation = { label: [NOUNS[node.kind], labelOf(node), description].filter(Boolean).join(" ") };
    if ("descriptor" in node) item.tooltip = `${node.descriptor.mediaType}\n${node.descriptor.digest}`;
    if (node.kind === "more") item.command = { title: "Load More", command: "udist.more", arguments: [node] };
    if (node.kind === "failure") item.command = { title: "Show Log", command: "udist.showLog" };
    if (node.kind === "config" || node.kind === "layer") {
      item.command = { title: "Open", command: "udist.open", arguments: [node] };
    }
    return item;
  }

  /** What is selected in the view. */
  get selection(): readonly Node[] {
    return this.#view.selection;
  }

  /** Shows a node, or all, anew. */
  refresh(node?: Node): void {
    this.#tree.forget(node);
    this.#changed.fire(node);
  }

  async more(node: Extract<Node, { kind: "more" }>): Promise<void> {
    await this.#tree.more(node);
    this.#changed.fire(node.parent);
  }

  dispose(): void {
    for (const each of [this.#view, this.#changed, this.#reread]) each.dispose();
  }
}

const ICONS: Record<Node["kind"], string> = {
  store: "database",
  repository: "repo",
  manifest: "tag",
  referrers: "references",
  config: "json",
  layer: "layers",
  more: "ellipsis",
  failure: "error",
};

/** For screen readers. */
const NOUNS: Record<Node["kind"], string> = {
  store: "store",
  repository: "repository",
  manifest: "manifest",
  referrers: "",
  config: "",
  layer: "layer",
  more: "",
  failure: "error",
};

function labelOf(node: Node): string {
  switch (node.kind) {
    case "store":
      return node.store.name;
    case "repository":
      return node.name;
    case "manifest":
      return node.label;
    case "referrers":
      return "Referrers";
    case "config":
      return "Configuration";
    case "layer":
      return titleOf(node.descriptor) ?? shortOf(node.descriptor.digest);
    case "more":
      return "Load More…";
    case "failure":
      return node.message;
  }
}

function descriptionOf(node: Node): string | undefined {
  if (node.kind === "config" || node.kind === "layer") return sizeOf(node.descriptor.size);
  return node.kind === "manifest" && node.descriptor ? shortOf(node.descriptor.digest) : undefined;
}

function sizeOf(bytes: number): string {
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 4);
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  return `${unit === 0 ? bytes : (bytes / 2 ** (10 * unit)).toFixed(1)} ${names[unit] ?? ""}`;
}

/** What the menus of the manifest ask for. */
function contextOf(node: Node): string {
  switch (node.kind) {
    case "store":
    case "repository":
      return `${node.kind} takes`;
    case "manifest":
      return "manifest opens digest";
    case "config":
    case "layer":
      return `${node.kind} opens digest`;
    default:
      return node.kind;
  }
}

function stateOf({ kind }: Node): vscode.TreeItemCollapsibleState {
  const leaf = kind === "config" || kind === "layer" || kind === "more" || kind === "failure";
  return leaf ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Collapsed;
}
