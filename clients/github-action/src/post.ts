/** The job's end: stops the registry and says what was pushed. */

import { stopGateway } from "./gateway.js";
import { savedGateway } from "./state.js";
import { summarize } from "./summary.js";

export async function post(): Promise<void> {
  const gateway = savedGateway();
  if (gateway) {
    await stopGateway(gateway);
    await summarize(gateway);
  }
}
