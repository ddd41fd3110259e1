import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { HandshakeError, PluginDiedError } from "udist-plugin";

import { failureOf, isCancelled } from "../src/model/failures.js";
import { SettingError, storesIn } from "../src/model/settings.js";
import { requireTrust, TrustError } from "../src/model/trust.js";

const OPTIONS = { base: "/work space", command: [], read: (path: string) => `from ${path}` };

test("a store is a folder, a file or a configuration", () => {
  const entries = [
    { name: "a", folder: "store" },
    { name: "b", file: "/etc/config.yml" },
    { name: "c", config: { version: "0.1" } },
  ];
  assert.deepEqual(
    storesIn(entries, OPTIONS).map(({ config }) => config()),
    [
      { version: "0.1", storage: { filesystem: { rootdirectory: "/work space/store" } } },
      "from /etc/config.yml",
      { version: "0.1" },
    ],
  );
});

test("a setting that cannot be used is named", () => {
  const wrong: [unknown, RegExp][] = [
    [{}, /udist\.stores must be a list/],
    [["a"], /udist\.stores\[0\] must be an object/],
    [[{ folder: "a" }], /udist\.stores\[0\]\.name/],
    [[{ name: "a/b", folder: "a" }], /udist\.stores\[0\]\.name/],
    [[{ name: "a" }], /one of folder, file and config/],
    [[{ name: "a", folder: "a", file: "b" }], /one of folder, file and config/],
    [[{ name: "a", folder: 5 }], /udist\.stores\[0\]\.folder must be a path/],
    [[{ name: "a", config: "x" }], /udist\.stores\[0\]\.config must be an object/],
    [[1, 2].map(() => ({ name: "a", folder: "a" })), /two stores a/],
  ];
  for (const [entries, message] of wrong) {
    assert.throws(() => storesIn(entries, OPTIONS), { name: SettingError.name, message });
  }
  const read = (): string => {
    throw new Error("ENOENT");
  };
  const [unreadable] = storesIn([{ name: "a", file: "x" }], { ...OPTIONS, read });
  assert.throws(() => unreadable?.config(), /udist\.stores\[0\]\.file cannot be read: ENOENT/);
  assert.throws(() => storesIn([{ name: "a", folder: "x" }], { ...OPTIONS, base: undefined }), /no folder is open/);
});

test("an error is one line, and its button opens what helps", () => {
  const died = new PluginDiedError("the plugin ended", { stderr: "line 1\nline 2" });
  assert.deepEqual(failureOf(died, "a"), { message: "a: the plugin ended; the log has what it said", opens: "log" });
  assert.equal(failureOf(new HandshakeError("no plugin"), "a").opens, "setting");
  assert.equal(failureOf(new SettingError("wrong")).opens, "setting");
  assert.match(failureOf(new DOMException("late", "TimeoutError"), "a").message, /^a: no answer in time.*udist\.timeout/);
  assert.ok(isCancelled(new DOMException("stopped", "AbortError")));
});

test("nothing changes until the folder is trusted", () => {
  assert.throws(() => requireTrust(false, "pushed"), TrustError);
  requireTrust(true, "pushed");
  const { capabilities, contributes } = JSON.parse(readFileSync("package.json", "utf8")) as Declared;
  const changing = contributes.commands.filter(({ enablement }) => enablement === "isWorkspaceTrusted");
  assert.deepEqual(
    changing.map(({ command }) => command),
    ["udist.pull", "udist.push", "udist.delete"],
  );
  assert.deepEqual(capabilities.untrustedWorkspaces, {
    ...capabilities.untrustedWorkspaces,
    supported: "limited",
    restrictedConfigurations: ["udist.stores", "udist.command"], // what decides on the process that is spawned
  });
});

interface Declared {
  readonly capabilities: { readonly untrustedWorkspaces: object };
  readonly contributes: { readonly commands: { command: string; enablement?: string }[] };
}
