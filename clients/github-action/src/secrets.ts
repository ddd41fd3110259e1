/** What must not be read in a log. */

import * as core from "@actions/core";

const SECRET = /SECRET|PASSWORD|TOKEN|KEY|CREDENTIAL/;

/** Masks the gateway's credential, in the forms in which tools print it. */
export function maskCredential(url: string): void {
  const { username, password } = new URL(url);
  mask(url);
  mask(password);
  mask(Buffer.from(`${username}:${password}`).toString("base64"));
}

/** Masks the values of the configuration's variables that are secrets. */
export function maskVariables(environ: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(environ)) {
    if (name.startsWith("REGISTRY_") && SECRET.test(name) && value) {
      mask(value);
    }
  }
}

/** Line by line: a runner may look for the whole of a mask only, and a tool may print one line of it. */
function mask(value: string): void {
  for (const line of value.split(/\r?\n/)) {
    if (line.trim().length > 3) {
      core.setSecret(line.trim());
    }
  }
}
