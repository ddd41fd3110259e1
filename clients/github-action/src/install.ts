/** `udist` on the runner: a virtual environment among the runner's tools, kept for the next job. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import * as cache from "@actions/cache";
import * as core from "@actions/core";

import own from "../package.json" with { type: "json" };
import { StepError } from "./failures.js";
import type { Inputs } from "./inputs.js";
import { capture, show } from "./process.js";
import { temporary, toolCache } from "./runner.js";

const OLDEST = "3.11";

/** The path of `udist`. Throws `StepError` with what to do about it. */
export async function install(inputs: Inputs): Promise<string> {
  const base = await basePython();
  const wanted = requirement(inputs);
  const folder = join(toolCache(), "udist", wanted.version, `${process.arch}-py${base.version}`);
  if (existsSync(complete(folder))) {
    core.info(`Using udist ${wanted.version} in ${folder}`);
    return program(folder, "udist");
  }
  const key = `udist-${process.platform}-${wanted.version}-${process.arch}-py${base.version}`;
  if (await restored(inputs, folder, key)) {
    core.info(`Using udist ${wanted.version} from the cache "${key}"`);
  } else {
    const made = await make(base.path, wanted.text, folder);
    if (made !== folder) {
      return program(made, "udist");
    }
    await save(inputs, folder, key);
  }
  writeFileSync(complete(folder), "");
  return program(folder, "udist");
}

async function basePython(): Promise<{ path: string; version: string }> {
  const program = "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])";
  const asked = await capture("python3", ["-c", program]).catch(() => undefined);
  const [path, version] = asked?.stdout.split("\n") ?? [];
  const advice = `Add a step "uses: actions/setup-python" before this one.`;
  if (!path || !version) {
    throw new StepError(`udist needs Python ${OLDEST} or later, and the runner has no python3. ${advice}`);
  }
  if (version.localeCompare(OLDEST, "en", { numeric: true }) < 0) {
    throw new StepError(`udist needs Python ${OLDEST} or later, and ${path} is ${version}. ${advice}`);
  }
  return { path, version };
}

/** What pip is to install, and the name to keep it by. */
function requirement({ version, extras }: Inputs): { text: string; version: string } {
  const group = extras.length > 0 ? `[${extras.join(",")}]` : "";
  const suffix = extras.map((name) => `+${name}`).join("");
  if (!version.endsWith(".whl")) {
    if (!/^([0-9][0-9A-Za-z.]*)?$/.test(version)) {
      throw new StepError(`The input "version" has to be a release, such as ${own.version}, or a wheel, not "${version}".`);
    }
    const release = version || own.version;
    return { text: `udist-plugin${group}==${release}`, version: release + suffix };
  }
  const path = resolve(version);
  if (!existsSync(path)) {
    throw new StepError(`The input "version" names a wheel that does not exist: ${path}`);
  }
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
  return { text: `${path}${group}`, version: `wheel-${digest}${suffix}` };
}

/**
 * The environment that was made: `folder`, or another one, not kept, if some other job is at work on `folder` or
 * was stopped while it was.
 */
async function make(python: string, wanted: string, folder: string): Promise<string> {
  const place = claim(folder) ? folder : mkdtempSync(join(temporary(), "udist-"));
  try {
    await step(python, ["-m", "venv", place], "make a virtual environment");
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted];
    await step(program(place, "python"), pip, `install ${wanted}`);
  } catch (error) {
    rmSync(place, { recursive: true, force: true });
    throw error;
  }
  return place;
}

function claim(folder: string): boolean {
  mkdirSync(join(folder, ".."), { recursive: true });
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

async function step(command: string, args: readonly string[], what: string): Promise<void> {
  const code = await show(command, args);
  if (code !== 0) {
    throw new StepError(`Could not ${what}: exit code ${code}. The log above says why.`);
  }
}

async function restored({ cache: wanted }: Inputs, folder: string, key: string): Promise<boolean> {
  return wanted && cache.isFeatureAvailable() && (await cache.restoreCache([folder], key).catch(told("restore"))) !== undefined;
}

async function save({ cache: wanted }: Inputs, folder: string, key: string): Promise<void> {
  if (wanted && cache.isFeatureAvailable()) {
    await cache.saveCache([folder], key).catch(told("save"));
  }
}

/** A cache that does not work costs time, and no job. */
function told(what: string): (error: unknown) => undefined {
  return (error) => { core.warning(`Could not ${what} the cache: ${String(error)}`); };
}

function program(folder: string, name: string): string {
  return join(folder, "bin", name);
}

function complete(folder: string): string {
  return `${folder}.complete`;
}
