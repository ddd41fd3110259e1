import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { filled } from "../filled.js";
import { Host } from "./host.js";
import { Workbench } from "./workbench.js";

test("the tree opens down to a manifest, which is shown", async () => {
  const store = await mkdtemp(join(tmpdir(), "udist-store-"));
  try {
    await filled(store);
    await using host = await Host.start({ settings: { "udist.stores": [{ name: "local", folder: store }] } });
    await using workbench = await Workbench.open(host.address);
    await workbench.showStores();
    await workbench.expand("local");
    await workbench.expand("demo/notes");
    await workbench.row("v1").waitFor();
    await workbench.choose("v1", "Open");
    await workbench.tab("v1.json");
    await workbench.line("org.opencontainers.image.title");
    await workbench.screenshot("manifest");
  } finally {
    await rm(store, { recursive: true });
  }
});
