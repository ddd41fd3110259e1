/** What the step leaves for the job's end. Inputs are no help there: the runner evaluates them anew. */

import * as core from "@actions/core";

import type { Gateway } from "./gateway.js";

const NAME = "gateway";

export function saveGateway(gateway: Gateway | undefined): void {
  core.saveState(NAME, gateway ? JSON.stringify(gateway) : "");
}

export function savedGateway(): Gateway | undefined {
  const saved = core.getState(NAME);
  return saved ? (JSON.parse(saved) as Gateway) : undefined;
}
