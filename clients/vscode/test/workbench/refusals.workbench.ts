import assert from "node:assert/strict";
import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { filled } from "../filled.js";
import { Host } from "./host.js";
import { Workbench } from "./workbench.js";

let store: string;
before(async () => {
  store = await mkdtemp(join(tmpdir(), "udist-store-"));
  await filled(store);
});
after(() => rm(store, { recursive: true }));

test("in a folder that is not trusted stores are read-only, and its settings are not used", async () => {
  await using host = await Host.start({ settings: { "udist.stores": [{ name: "mine", folder: store }] }, trusted: false });
  await mkdir(join(host.folder, ".vscode"));
  const command = ["touch", join(host.home, "spawned")];
  const settings = { "udist.stores": [{ name: "theirs", folder: store }], "udist.command": command };
  await writeFile(join(host.folder, ".vscode", "settings.json"), JSON.stringify(settings));
  await using workbench = await Workbench.open(host.address);
  await workbench.page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
  await workbench.showStores();
  await workbench.expand("mine");
  await workbench.expand("demo/notes");
  await workbench.row("v1").waitFor();
  assert.equal(await workbench.row("theirs").count(), 0);
  assert.deepEqual(await workbench.enabledOf("v1"), ["Open", "Compare Manifests...", "Copy Digest", "Refresh"]);
  await assert.rejects(access(join(host.home, "spawned")));
  await workbench.screenshot("restricted");
});

test("a store that does not start is a notification with a button to the setting, and no endless wait", async () => {
  const settings = { "udist.stores": [{ name: "broken", folder: store }], "udist.command": ["/nowhere/udist-plugin"] };
  await using host = await Host.start({ settings });
  await using workbench = await Workbench.open(host.address);
  await workbench.showStores();
  await workbench.expand("broken");
  const notification = workbench.notification("/nowhere/udist-plugin");
  await notification.waitFor();
  await workbench.page.locator('.pane-body .monaco-list-row[aria-label^="error "]').waitFor();
  await workbench.screenshot("broken");
  await notification.locator(".monaco-button", { hasText: "Open Setting" }).click();
  await workbench.page.locator(".settings-editor", { hasText: "Stores" }).waitFor();
});
