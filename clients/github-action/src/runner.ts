/** What the runner says of itself in its variables. */

import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is emptied when the job ends. */
export function temporary(): string {
  return process.env.RUNNER_TEMP ?? tmpdir();
}

/** The folder for tools that are kept from one job to the next. */
export function toolCache(): string {
  return process.env.RUNNER_TOOL_CACHE ?? join(temporary(), "tools");
}

/** The process that outlives all steps. In a container, where it cannot be seen, that is the first one. */
export function runnerProcess(): number {
  return process.ppid || 1;
}
