/** The step itself: starts the registry, for a script or for the steps that follow. */

import * as core from "@actions/core";

import { StepError } from "./failures.js";
import { pushes, startGateway, stopGateway } from "./gateway.js";
import { type Inputs, readInputs } from "./inputs.js";
import { install } from "./install.js";
import { show } from "./process.js";
import { maskCredential, maskVariables } from "./secrets.js";
import { saveGateway } from "./state.js";
import { summarize } from "./summary.js";

export async function main(): Promise<void> {
  const inputs = readInputs();
  maskVariables(process.env);
  const udist = await install(inputs);
  const { gateway, environment } = await startGateway(udist, inputs);
  saveGateway(gateway);
  maskCredential(environment.UDIST_URL ?? "");
  output("registry", environment.UDIST_REGISTRY ?? "");
  core.info(`The registry is at ${environment.UDIST_REGISTRY ?? ""}`);
  if (!inputs.run) {
    for (const [name, value] of Object.entries(environment)) {
      core.exportVariable(name, value);
    }
    return;
  }
  const code = await runScript(inputs, environment);
  await stopGateway(gateway);
  output("digest", pushes(gateway).at(-1)?.digest ?? "");
  await summarize(gateway);
  saveGateway(undefined);
  if (code !== 0) {
    throw new StepError(`The script of the input "run" ended with exit code ${code}.`);
  }
}

/** As the runner runs the scripts of bash. */
async function runScript(inputs: Inputs, environment: Readonly<Record<string, string>>): Promise<number> {
  const options = { env: { ...process.env, ...environment } };
  const script = ["--noprofile", "--norc", "-eo", "pipefail", "-c", inputs.run];
  try {
    return await show("bash", script, inputs.workingDirectory ? { ...options, cwd: inputs.workingDirectory } : options);
  } catch (error) {
    throw new StepError(`Could not run the script of the input "run": ${String(error)}`);
  }
}

function output(name: string, value: string): void {
  try {
    core.setOutput(name, value);
  } catch (error) {
    throw new StepError(`The runner gives no file for outputs (GITHUB_OUTPUT): ${String(error)}`);
  }
}
