/** A gateway of `udist exec --background`: the registry at a port of 127.0.0.1. */

import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { annotate, StepError } from "./failures.js";
import type { Inputs } from "./inputs.js";
import { capture } from "./process.js";
import { runnerProcess, temporary } from "./runner.js";

/** What was pushed: a line of the file of `udist exec --report`. */
export interface Push {
  readonly repository: string;
  /** Empty if it was pushed by its digest. */
  readonly tag: string;
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest and of all that it names. */
  readonly size: number;
  /** Of these, the bytes that the registry did not have before. */
  readonly uploaded: number;
}

/** What the job's end needs to know; kept as the step's state. */
export interface Gateway {
  readonly udist: string;
  readonly id: string;
  readonly report: string;
}

export interface Started {
  readonly gateway: Gateway;
  /** What a command that uses the registry has to have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Throws `StepError` if the configuration is wrong or the store cannot be opened; that is annotated. */
export async function startGateway(udist: string, inputs: Inputs): Promise<Started> {
  const report = join(mkdtempSync(join(temporary(), "udist-")), "pushed.jsonl");
  const ended = await capture(udist, [
    "exec",
    "--background",
    "--json",
    ...["--owner", String(runnerProcess()), "--report", report],
    ...(inputs.config ? ["--config", inputs.config] : []),
    ...(inputs.readOnly ? ["--read-only"] : []),
    ...(inputs.tls ? ["--tls"] : []),
  ]);
  if (ended.code === 2) {
    throw new StepError(`This udist is too old for the action. Leave the input "version" out. ${ended.stderr.trim()}`);
  }
  if (ended.code !== 0) {
    throw annotate(ended.stderr);
  }
  const { id, environment } = JSON.parse(ended.stdout) as { id: string; environment: Record<string, string> };
  return { gateway: { udist, id, report }, environment };
}

/** Ends it, if it has not ended yet. */
export async function stopGateway({ udist, id }: Gateway): Promise<void> {
  await capture(udist, ["exec", "--stop", id]);
}

export function pushes({ report }: Gateway): Push[] {
  if (!existsSync(report)) {
    return [];
  }
  const lines = readFileSync(report, "utf8").split("\n");
  // What follows the last line feed is no whole line: the gateway was killed.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Push);
}
