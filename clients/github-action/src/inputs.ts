/** The step's inputs, checked. */

import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import * as core from "@actions/core";

import { StepError } from "./failures.js";
import { temporary } from "./runner.js";

export interface Inputs {
  /** A release or the path of a wheel; empty for the action's own release. */
  readonly version: string;
  readonly extras: readonly string[];
  readonly cache: boolean;
  /** The path of the configuration file; empty for none. */
  readonly config: string;
  readonly readOnly: boolean;
  readonly tls: boolean;
  readonly run: string;
  readonly workingDirectory: string;
}

/** Throws `StepError` for a value that cannot be. */
export function readInputs(): Inputs {
  const tls = flag("tls");
  return {
    version: core.getInput("version"),
    extras: extras(tls),
    cache: flag("cache"),
    config: configuration(core.getInput("config")),
    readOnly: flag("read-only"),
    tls,
    run: core.getInput("run"),
    workingDirectory: core.getInput("working-directory"),
  };
}

function flag(name: string): boolean {
  try {
    return core.getInput(name) !== "" && core.getBooleanInput(name);
  } catch {
    throw new StepError(`The input "${name}" has to be true or false, not "${core.getInput(name)}".`);
  }
}

function extras(tls: boolean): string[] {
  const names = core.getInput("extras").split(/[\s,]+/).filter(Boolean);
  for (const name of names) {
    if (!/^[a-z]+$/.test(name)) {
      throw new StepError(`The input "extras" holds "${name}", which cannot be the name of an extra.`);
    }
  }
  return [...new Set(tls ? [...names, "tls"] : names)].sort();
}

/** Text goes into a file that only this user can read: it may hold secrets. */
function configuration(value: string): string {
  if (!value.includes("\n")) {
    return value;
  }
  const path = join(mkdtempSync(join(temporary(), "udist-")), "config.yml");
  writeFileSync(path, value, { mode: 0o600 });
  return path;
}
