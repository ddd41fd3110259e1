/** The summary of a job: what was pushed, and how much of it the registry had already. */

import * as core from "@actions/core";

import { type Gateway, type Push, pushes } from "./gateway.js";

const MOST = 200;

export async function summarize(gateway: Gateway): Promise<void> {
  const pushed = pushes(gateway);
  core.info(pushed.length === 0 ? "Nothing was pushed." : pushed.map(line).join("\n"));
  if (pushed.length === 0 || !process.env.GITHUB_STEP_SUMMARY) {
    return;
  }
  core.summary.addHeading("Pushed with udist", 3).addTable([
    ["Image", "Digest", "Size", "New"].map((data) => ({ data, header: true })),
    ...pushed.slice(0, MOST).map((each) => [name(each), `<code>${each.digest}</code>`, size(each.size), share(each)]),
  ]);
  if (pushed.length > MOST) {
    core.summary.addRaw(`And ${pushed.length - MOST} more.`);
  }
  await core.summary.write();
}

function line(push: Push): string {
  return `Pushed ${name(push)} ${push.digest}: ${size(push.size)}, new ${share(push)}`;
}

function name({ repository, tag }: Push): string {
  return tag ? `${repository}:${tag}` : repository;
}

function share({ size: all, uploaded }: Push): string {
  return uploaded === 0 ? "nothing" : uploaded === all ? "all" : size(uploaded);
}

function size(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) {
      return `${unit === "B" ? value : value.toFixed(1)} ${unit}`;
    }
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}
