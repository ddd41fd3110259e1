/** Child processes. */

import { spawn } from "node:child_process";
import { constants } from "node:os";

export interface Ended {
  /** The exit code; 128 + N after the signal N, as shells have it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `command` to its end and keeps what it says. Rejects if it cannot be started. */
export function capture(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject).on("close", (code, signal) => { resolve({ code: exitCode(code, signal), stdout, stderr }); });
  });
}

/** Runs `command` to its end on the step's own log. Rejects if it cannot be started. */
export function show(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject).on("close", (code, signal) => { resolve(exitCode(code, signal)); });
  });
}

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
