import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const INDEX = new URL("../src/index.js", import.meta.url).href;

/** What a program over a plugin prints; it must end by itself. */
async function program(text: string): Promise<string> {
  const preamble = `import { spawn } from ${JSON.stringify(INDEX)};
process.on("unhandledRejection", (error) => { console.log("unhandled", error); process.exit(1); });
const config = "version: 0.1\\nstorage: {inmemory: {}}";
`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", preamble + text], {
    timeout: 20_000,
  });
  return stdout;
}

test("a process ends by itself beside an idle plugin", async () => {
  const text = `const plugin = await spawn({ config });
console.log((await plugin.fetch("/v2/")).status);`;
  assert.equal(await program(text), "200\n");
});

test("a process ends by itself once its plugins are closed", async () => {
  const text = `const plugin = await spawn({ config });
const fetched = plugin.fetch("/v2/");
await plugin.close();
console.log((await fetched).status, (await plugin.exited).code, process.getActiveResourcesInfo());`;
  assert.match(await program(text), /^200 0 \[( '(TTY|Pipe)Wrap',?)* ?\]\n$/);
});

test("a rejected fetch that nobody awaits later is the only one", async () => {
  const text = `const plugin = await spawn({ config });
const body = new ReadableStream({ pull() { throw new Error("no"); } });
await plugin.fetch("/v2/a/blobs/uploads/", { method: "POST", body, duplex: "half" }).catch((error) => console.log(error.code));
await plugin.destroy();
await plugin.fetch("/v2/").catch((error) => console.log(error.code));`;
  assert.equal(await program(text), "UDIST_ERR_BODY\nUDIST_ERR_CLOSED\n");
});

test("await using closes the plugin", async () => {
  const text = `const plugin = await spawn({ config });
await plugin[Symbol.asyncDispose]();
console.log((await plugin.exited).code);`;
  assert.equal(await program(text), "0\n");
});
