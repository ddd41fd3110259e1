import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const INDEX = new URL("../src/index.js", import.meta.url).href;

/** What a program over a plugin prints; it must end by itself. `before` is of the shell that runs it. */
export async function program(text: string, before = ""): Promise<{ stdout: string; stderr: string }> {
  const preamble = `import { spawn } from ${JSON.stringify(INDEX)};
process.on("unhandledRejection", (error) => { console.log("unhandled", error); process.exit(1); });
const config = "version: 0.1\\nstorage: {inmemory: {}}";
`;
  const words = [process.execPath, "--input-type=module", "-e", preamble + text];
  return run("sh", ["-c", `${before} exec "$@"`, "sh", ...words], { timeout: 20_000 });
}
