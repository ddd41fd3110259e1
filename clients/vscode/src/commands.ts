import * as vscode from "vscode";

import { compare, copyDigest, open } from "./inspect.js";
import { isCancelled } from "./model/failures.js";
import type { Node } from "./model/tree.js";
import type { Stores } from "./stores.js";
import { deleteManifest, pullFiles, pushFiles } from "./transfer.js";
import type { StoresView } from "./view.js";

/** The commands. What one of them fails with is shown. */
export function registerCommands(stores: Stores, view: StoresView): vscode.Disposable[] {
  const command = (name: string, run: (...args: never[]) => unknown) =>
    vscode.commands.registerCommand(`udist.${name}`, async (...args: never[]) => {
      try {
        await run(...args);
      } catch (error) {
        if (!isCancelled(error)) stores.failed(error);
      }
    });
  return [
    command("refresh", (node?: Node) => view.refresh(node)),
    command("restart", async () => {
      await stores.restart();
      view.refresh();
    }),
    command("showLog", () => stores.log.show()),
    command("openSetting", () => vscode.commands.executeCommand("workbench.action.openSettings", "@ext:udist.udist")),
    command("more", (node: Extract<Node, { kind: "more" }>) => view.more(node)),
    command("open", (node: Node) => open(node)),
    command("copyDigest", (node: Node) => copyDigest(stores, node)),
    command("compare", (node: Node, nodes?: Node[]) => compare(node, nodes)),
    command("pull", (node: Node) => pullFiles(stores, node)),
    command("push", async (target?: Node | vscode.Uri, all?: (Node | vscode.Uri)[]) => {
      // The explorer names the row that was clicked, and all that are selected with it.
      const uris = (all ?? [target]).filter((each) => each instanceof vscode.Uri);
      await pushFiles(stores, target instanceof vscode.Uri ? undefined : target, uris);
      view.refresh();
    }),
    command("delete", async (node: Node) => {
      if (await deleteManifest(stores, node)) view.refresh();
    }),
  ];
}
