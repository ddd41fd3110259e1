import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { filled } from "../filled.js";
import { Host } from "./host.js";
import { Workbench } from "./workbench.js";

let store: string;
let host: Host;
let workbench: Workbench;
before(async () => {
  store = await mkdtemp(join(tmpdir(), "udist-store-"));
  await filled(store);
  host = await Host.start({ settings: { "udist.stores": [{ name: "local", folder: store }] } });
  await writeFile(join(host.folder, "report.txt"), "a report\n");
  workbench = await Workbench.open(host.address);
  await workbench.showStores();
  await workbench.expand("local");
  await workbench.expand("demo/notes");
});
afterEach(async ({ name }) => {
  await workbench.screenshot(name);
  await workbench.page.keyboard.press("Escape"); // what a test that failed has left open
});
after(async () => {
  await workbench[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  await rm(store, { recursive: true });
});

test("a row says what it is to a screen reader, and can be reached by the keyboard", async () => {
  await workbench.row("v1").waitFor();
  await workbench.page.keyboard.press("Home");
  for (const label of ["store local", "repository demo/image", "repository demo/notes", "manifest v1"]) {
    const focused = workbench.page.locator(`.pane-body .monaco-list-row.focused[aria-label^="${label}"]`);
    await focused.waitFor();
    await workbench.page.keyboard.press("ArrowDown");
  }
});

test("a digest in a manifest leads to the file that it names", async () => {
  await workbench.choose("v1", "Open");
  await workbench.tab("v1.json");
  await workbench.page.locator(".view-line .detected-link").last().click({ modifiers: ["ControlOrMeta"] });
  await workbench.tab("notes.txt");
  await workbench.line("the notes of v1");
});

test("two tags are compared", async () => {
  await workbench.row("v1").click();
  await workbench.row("v2").click({ modifiers: ["ControlOrMeta"] });
  await workbench.choose("v2", "Compare Manifests");
  await workbench.tab("v1 ↔ v2");
  await workbench.page.locator(".diff-editor, .monaco-diff-editor").first().waitFor();
});

test("a layer is listed, and a file of it shown", async () => {
  await workbench.expand("demo/image");
  await workbench.expand("latest");
  await workbench.expand("linux/amd64");
  await workbench.row(/^[0-9a-f]{12}$/).click();
  await workbench.tab("contents.txt");
  await workbench.line("etc/motd");
  await workbench.page.locator(".view-line .detected-link", { hasText: "etc/motd" }).click({ modifiers: ["ControlOrMeta"] });
  await workbench.tab("motd");
  await workbench.line("hello");
});

test("files are pulled into the workspace", async () => {
  await workbench.choose("v2", "Pull Files");
  await workbench.type("pulled");
  await workbench.notification("Pulled notes.txt").waitFor();
  assert.equal(await readFile(join(host.folder, "pulled", "notes.txt"), "utf8"), "the notes of v2\n");
});

test("files that are there are replaced only if that is confirmed", async () => {
  await writeFile(join(host.folder, "pulled", "notes.txt"), "mine\n");
  await workbench.choose("v2", "Pull Files");
  await workbench.type("pulled");
  await workbench.answer("Cancel");
  assert.equal(await readFile(join(host.folder, "pulled", "notes.txt"), "utf8"), "mine\n");
});

test("a file is pushed, and is in the tree", async () => {
  await workbench.page.locator('.activitybar a[aria-label^="Explorer"]').click();
  const file = workbench.page.locator(".explorer-folders-view .monaco-list-row", { hasText: "report.txt" });
  await workbench.chooseOf(file, "Push to OCI Store");
  await workbench.type("demo/report:v1");
  await workbench.notification("Pushed report.txt").waitFor();
  await workbench.showStores();
  await workbench.expand("demo/report");
});

test("a tag is deleted once that is confirmed", async () => {
  await workbench.choose("v2", "Delete");
  await workbench.answer("Cancel");
  await workbench.row("v2").waitFor();
  await workbench.choose("v2", "Delete");
  await workbench.answer("Delete");
  await workbench.row("v2").waitFor({ state: "detached" });
  await workbench.row("v1").waitFor();
});

test("a plugin that died is spawned again", async () => {
  const pid = await host.onePlugin();
  process.kill(pid, "SIGKILL");
  await workbench.command("udist: Refresh");
  await host.onePlugin(pid);
  await workbench.row("v1").waitFor();
});

test("the log can be opened", async () => {
  // What it says is tested in store.test.ts: code-server writes no logs without spdlog, which wants a compiler.
  await workbench.command("udist: Show Log");
  await workbench.page.locator('.panel select option:checked, .panel .monaco-select-box', { hasText: "udist" }).first().waitFor();
});

test("a page that is loaded anew has a plugin, and leaves none of the old", async () => {
  const pid = await host.onePlugin();
  await workbench.page.reload();
  await workbench.page.locator(".statusbar-item", { hasText: "udist" }).waitFor();
  await workbench.expand("local");
  await workbench.row("demo/notes").waitFor();
  await host.onePlugin(pid);
});
