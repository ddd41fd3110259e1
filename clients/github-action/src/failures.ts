/** Errors as a person reads them: an annotation that says where and what to do. */

import { existsSync } from "node:fs";
import { relative } from "node:path";

import * as core from "@actions/core";

/** An error whose message says all that there is to say. */
export class StepError extends Error {}

/** An error of `udist`, as `--json` prints it. */
interface UdistError {
  readonly message: string;
  readonly detail?: { readonly key?: string; readonly source?: string; readonly problem?: string };
}

/** Marks the step as failed. */
export function failWith(error: unknown): void {
  core.setFailed(error instanceof Error ? error.message : String(error));
  if (error instanceof Error && !(error instanceof StepError)) {
    core.debug(error.stack ?? "");
  }
}

/**
 * An annotation for each error in `text`, the standard error of a `udist` command: at the line of the file where
 * that is known. Returns the error for the step.
 */
export function annotate(text: string): StepError {
  const { errors, others } = read(text);
  for (const each of errors) {
    core.error(each.detail?.problem ? `${each.detail.key ?? ""}: ${each.detail.problem}` : each.message, {
      title: "udist",
      ...place(each.detail?.source),
    });
  }
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return new StepError(first ? `udist did not start: ${first.message}${more}` : `udist did not start: ${others || "it said nothing"}`);
}

function read(text: string): { errors: readonly UdistError[]; others: string } {
  const others: string[] = [];
  for (const line of text.split("\n").filter(Boolean)) {
    try {
      return { errors: (JSON.parse(line) as { errors: UdistError[] }).errors, others: others.join("\n") };
    } catch {
      others.push(line);
    }
  }
  return { errors: [], others: others.join("\n") };
}

/** `source` is `FILE:LINE`, or the name of a variable. Annotations want a file of the workspace. */
function place(source: string | undefined): core.AnnotationProperties {
  const [, file, line] = /^(.+):(\d+)$/.exec(source ?? "") ?? [];
  if (!file || !existsSync(file)) {
    return {};
  }
  return { file: relative(process.env.GITHUB_WORKSPACE ?? process.cwd(), file), startLine: Number(line) };
}
