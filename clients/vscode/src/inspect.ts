import * as vscode from "vscode";

import { uriOf } from "./documents.js";
import { documentOf, shortOf } from "./model/tree.js";
import type { ManifestNode, Node } from "./model/tree.js";
import type { Stores } from "./stores.js";

/** Opens the document of a node. */
export async function open(node: Node): Promise<void> {
  const path = documentOf(node);
  if (path !== undefined) await vscode.commands.executeCommand("vscode.open", uriOf(path));
}

export async function copyDigest(stores: Stores, node: Node): Promise<void> {
  const digest = await digestOf(stores, node);
  if (digest === undefined) return;
  await vscode.env.clipboard.writeText(digest);
  vscode.window.setStatusBarMessage(`Copied ${digest}`, 5_000);
}

async function digestOf(stores: Stores, node: Node): Promise<string | undefined> {
  if ("descriptor" in node) return node.descriptor.digest;
  if (node.kind !== "manifest") return undefined;
  const registry = node.store.registry(AbortSignal.timeout(stores.timeout));
  return (await registry.resolveManifest(node.name, node.reference)).digest;
}

/** Compares the two manifests that are selected, or one with another of its repository that is asked for. */
export async function compare(node: Node, nodes: readonly Node[] = []): Promise<void> {
  if (node.kind !== "manifest") return;
  const manifests = nodes.filter((each) => each.kind === "manifest");
  if (manifests.length > 2) throw new Error("two manifests can be compared; select no more than two");
  const [left = node, right = await askedFor(node)] = manifests;
  if (!right) return;
  const title = `${labelOf(left.reference)} ↔ ${labelOf(right.reference)}`;
  const [leftUri, rightUri] = [left, right].map((each) => uriOf(documentOf(each) ?? ""));
  await vscode.commands.executeCommand("vscode.diff", leftUri, rightUri, title);
}

async function askedFor(node: ManifestNode): Promise<ManifestNode | undefined> {
  const reference = await vscode.window.showInputBox({
    title: `Compare ${node.name}: ${labelOf(node.reference)}`,
    prompt: "The tag or digest to compare with",
    validateInput: (text) => (/^[\w.:-]+$/.test(text) ? undefined : "Type a tag or a digest of this repository"),
  });
  return reference === undefined ? undefined : { ...node, reference };
}

function labelOf(reference: string): string {
  return reference.includes(":") ? shortOf(reference) : reference;
}
