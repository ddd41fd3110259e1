/** The action's one program: the runner starts it as the step, and again when the job ends. */

import * as core from "@actions/core";

import { main } from "./main.js";
import { post } from "./post.js";
import { failWith } from "./failures.js";

const STARTED = "started";

try {
  if (core.getState(STARTED)) {
    await post();
  } else {
    core.saveState(STARTED, "true");
    await main();
  }
} catch (error) {
  failWith(error);
}
// A connection of the cache that is kept open would hold up the job.
process.exit();
