import * as vscode from "vscode";

import { registerCommands } from "./commands.js";
import { Links, Documents, SCHEME } from "./documents.js";
import { Stores } from "./stores.js";
import { StoresView } from "./view.js";

let stores: Stores | undefined;

export function activate(context: vscode.ExtensionContext): void {
  stores = new Stores();
  const view = new StoresView(stores);
  context.subscriptions.push(
    stores,
    view,
    vscode.workspace.registerFileSystemProvider(SCHEME, new Documents(stores), {
      isReadonly: new vscode.MarkdownString("What is in a store is read-only: its digest names this very content."),
      isCaseSensitive: true,
    }),
    vscode.languages.registerDocumentLinkProvider({ scheme: SCHEME }, new Links()),
    ...registerCommands(stores, view),
  );
}

/** Ends the plugins. VS Code waits five seconds for it. */
export async function deactivate(): Promise<void> {
  await stores?.close();
}
