import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";

/** How long the first start of the file may take, in milliseconds: it unpacks itself. */
const PATIENCE = 60_000;
/** The header of an executable file: its first bytes, and the field that says for which processor. */
const FORMATS = {
  linux: { magic: 0x7f454c46, field: 18, machines: { 62: "x64", 183: "arm64" } },
  darwin: { magic: 0xcffaedfe, field: 4, machines: { 7: "x64", 12: "arm64" } },
};

/**
 * Checks that the file at `path` is a plugin for `platform`, such as linux-x64. If that is this machine's, the plugin is
 * started, and must be of the given version.
 */
export function inspect(path, platform, version) {
  const found = platformOf(path);
  if (found !== platform) throw new Error(`${path} is ${found ? `for ${found}` : "no program that is known"}, not for ${platform}`);
  if (platform !== `${process.platform}-${process.arch}`) return;
  const said = started(path);
  if (said !== `udist-plugin ${version}`) {
    throw new Error(`${path} is ${said}, and this package is of version ${version}; use both of the same release`);
  }
}

function started(path) {
  let said;
  try {
    said = execFileSync(path, ["udist-plugin", "--version"], { encoding: "utf8", timeout: PATIENCE }).trim();
  } catch (error) {
    throw new Error(`${path} does not start as a plugin: ${error.message}`, { cause: error });
  }
  if (!said.startsWith("udist-plugin ")) throw new Error(`${path} does not start as a plugin: it said ${JSON.stringify(said)}`);
  return said;
}

function platformOf(path) {
  const head = Buffer.alloc(64);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  for (const [system, { magic, field, machines }] of Object.entries(FORMATS)) {
    const machine = machines[head.readUInt16LE(field)];
    if (head.readUInt32BE(0) === magic && machine) return `${system}-${machine}`;
  }
  return undefined;
}
