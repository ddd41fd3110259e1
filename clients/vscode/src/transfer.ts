import { basename, relative } from "node:path";

import * as vscode from "vscode";

import type { Store } from "./model/store.js";
import { filesOf, namedIn, pull, push, remove } from "./model/transfers.js";
import type { Transfer } from "./model/transfers.js";
import type { Node } from "./model/tree.js";
import { requireTrust } from "./model/trust.js";
import type { Stores } from "./stores.js";

/** Pulls the files of an artifact into a folder of the workspace. */
export async function pullFiles(stores: Stores, node: Node): Promise<void> {
  if (node.kind !== "manifest") return;
  requireTrust(vscode.workspace.isTrusted, "pulled");
  const folder = await folderFor(node.name);
  if (!folder) return;
  const { titles, existing, digest } = await filesOf(node, folder.fsPath, AbortSignal.timeout(stores.timeout));
  if (titles.length === 0) {
    throw new Error(`${node.name}: ${node.label} has no files by name; open its layers to see what is in them`);
  }
  if (existing.length > 0 && !(await confirmed(`Replace ${listOf(existing)} in ${folder.fsPath}?`, "Replace"))) return;
  // By digest: what is written is what was confirmed, whatever the tag says by now.
  const target = { store: node.store, name: node.name, reference: digest };
  const work = (transfer: Transfer) => pull(target, folder.fsPath, { ...transfer, files: titles.length });
  const paths = await shown(`Pulling ${node.name}: ${node.label}`, work);
  void vscode.window.showInformationMessage(`Pulled ${listOf(titles)} into ${folder.fsPath}`, "Open").then(async (chosen) => {
    if (chosen && paths[0] !== undefined) await vscode.commands.executeCommand("vscode.open", vscode.Uri.file(paths[0]));
  });
}

/** Pushes files as one artifact; asks for what the node and the selection do not say. */
export async function pushFiles(stores: Stores, node: Node | undefined, selected: readonly vscode.Uri[]): Promise<void> {
  requireTrust(vscode.workspace.isTrusted, "pushed");
  const uris = selected.length > 0 ? selected : await vscode.window.showOpenDialog({ canSelectMany: true, openLabel: "Push" });
  if (!uris || uris.length === 0) return;
  const store = node && "store" in node ? node.store : await storeFor(stores);
  if (!store) return;
  const named = await nameFor(store, node && "name" in node ? `${node.name}:` : "");
  if (!named) return;
  const target = { store, name: named.name, reference: named.tag };
  const sources = uris.map(({ fsPath: path }) => ({ path, title: titleFor(path) }));
  const { digest } = await shown(`Pushing ${named.name}:${named.tag}`, (transfer) => push(target, sources, transfer));
  const message = `Pushed ${listOf(sources.map(({ title }) => title))} to ${store.name} as ${named.name}:${named.tag}`;
  void vscode.window.showInformationMessage(message, "Copy Digest").then(async (chosen) => {
    if (chosen) await vscode.env.clipboard.writeText(digest);
  });
}

/** Deletes a tag or a manifest, if that is confirmed. Returns whether it did. */
export async function deleteManifest(stores: Stores, node: Node): Promise<boolean> {
  if (node.kind !== "manifest") return false;
  requireTrust(vscode.workspace.isTrusted, "deleted");
  const tag = !node.reference.includes(":");
  const what = tag ? `the tag ${node.reference}` : `the manifest ${node.reference} and its tags`;
  const detail = tag ? "Its manifest stays, and can be reached by its digest." : "An index that names it will be incomplete.";
  if (!(await confirmed(`Delete ${what} of ${node.name} from ${node.store.name}?`, "Delete", detail))) return false;
  await remove(node, AbortSignal.timeout(stores.timeout));
  return true;
}

/** Runs a transfer in a notification with progress and a button to cancel it. */
function shown<T>(title: string, work: (transfer: Transfer) => Promise<T>): Thenable<T> {
  const options = { location: vscode.ProgressLocation.Notification, cancellable: true, title };
  return vscode.window.withProgress(options, async (report, token) => {
    const controller = new AbortController();
    const cancelled = token.onCancellationRequested(() => controller.abort());
    let before = 0;
    const progress = (done: number, total: number) => {
      const percent = Math.min(100, (100 * done) / total);
      report.report({ increment: percent - before, message: `${Math.min(done, total)} of ${total}` });
      before = percent;
    };
    try {
      return await work({ signal: controller.signal, progress });
    } finally {
      cancelled.dispose();
    }
  });
}

async function confirmed(question: string, button: string, detail?: string): Promise<boolean> {
  const options = { modal: true, ...(detail !== undefined && { detail }) };
  return (await vscode.window.showWarningMessage(question, options, button)) === button;
}

async function folderFor(name: string): Promise<vscode.Uri | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
  const [first] = folders;
  if (!first) throw new Error("files are pulled into the workspace, but no folder on a disk is open; open one");
  const folder =
    folders.length === 1 ? first : await vscode.window.showQuickPick(folders.map((each) => ({ ...each, label: each.name })));
  if (!folder) return undefined;
  const path = await vscode.window.showInputBox({
    title: `Pull ${name}`,
    prompt: `A folder in ${folder.name} for the files; . is ${folder.name} itself`,
    value: basename(name),
    validateInput: (text) => (inside(text) ? undefined : "Type a relative path that stays in the workspace"),
  });
  return path === undefined ? undefined : vscode.Uri.joinPath(folder.uri, path);
}

function inside(path: string): boolean {
  return path !== "" && !/^([/\\]|[A-Za-z]:)/.test(path) && !path.split(/[/\\]/).includes("..");
}

async function storeFor(stores: Stores): Promise<Store | undefined> {
  const { all } = stores;
  if (all.length === 0) throw new Error("no store is configured; add one to the setting udist.stores");
  if (all.length === 1) return all[0];
  const options = { title: "Push to", placeHolder: "The store" };
  return (await vscode.window.showQuickPick(all.map((store) => ({ label: store.name, store })), options))?.store;
}

async function nameFor(store: Store, value: string): Promise<{ name: string; tag: string } | undefined> {
  const text = await vscode.window.showInputBox({
    title: `Push to ${store.name}`,
    prompt: "The repository and the tag, such as tools/report:v1",
    value,
    valueSelection: [value.length, value.length],
    validateInput: (text) => (namedIn(text) ? undefined : "Type a repository in lower case, a colon and a tag"),
  });
  return text === undefined ? undefined : namedIn(text);
}

/** As the workspace names a file; a file from elsewhere goes by its last name. */
function titleFor(path: string): string {
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(path));
  return (folder ? relative(folder.uri.fsPath, path) : basename(path)).replaceAll("\\", "/");
}

function listOf(names: readonly string[]): string {
  const [first = "", ...more] = names;
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}
