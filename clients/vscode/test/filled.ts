import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { pack } from "tar-stream";
import { spawn } from "udist-plugin";
import { INDEX, MANIFEST, pushArtifact, Registry } from "udist-plugin/oci";
import type { Descriptor, ImageIndex } from "udist-plugin/oci";

import { wholeOf } from "../src/model/layers.js";

const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG = "application/vnd.oci.image.config.v1+json";

/**
 * Fills a store in a folder: `demo/notes` with the artifacts v1 and v2, of one file each; `demo/image` with an index
 * that names linux/amd64, and something that refers to it.
 */
export async function filled(store: string): Promise<void> {
  const plugin = await spawn({ config: { version: "0.1", storage: { filesystem: { rootdirectory: store } } } });
  try {
    const registry = new Registry({ fetch: plugin.fetch });
    await notes(registry);
    await image(registry);
  } finally {
    await plugin.close();
  }
}

async function notes(registry: Registry): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "udist-files-"));
  try {
    const path = join(folder, "notes.txt");
    for (const tag of ["v1", "v2"]) {
      await writeFile(path, `the notes of ${tag}\n`);
      await pushArtifact(registry, "demo/notes", [{ path, title: "notes.txt", mediaType: "text/plain" }], { tag });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function image(registry: Registry): Promise<void> {
  const layer = await blob(registry, LAYER, gzipSync(await archive({ "etc/motd": "hello\n", "bin/tool": "#!/bin/sh\n" })));
  const config = await blob(registry, CONFIG, Buffer.from('{"architecture":"amd64","os":"linux"}'));
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] } as const;
  const child = { ...(await registry.pushManifest("demo/image", manifest)), platform: { architecture: "amd64", os: "linux" } };
  const index: ImageIndex = { schemaVersion: 2, mediaType: INDEX, manifests: [child] };
  const subject = await registry.pushManifest("demo/image", index, { tag: "latest" });
  await pushArtifact(registry, "demo/image", [], { artifactType: "application/vnd.example.sbom", subject });
}

async function blob(registry: Registry, mediaType: string, content: Buffer): Promise<Descriptor> {
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  await registry.pushBlob("demo/image", digest, new Uint8Array(content));
  return { mediaType, digest, size: content.length };
}

/** A tar archive of files by their paths. */
export async function archive(files: Record<string, string>): Promise<Buffer> {
  const made = pack();
  for (const [name, content] of Object.entries(files)) made.entry({ name }, content);
  made.finalize();
  return Buffer.from(await wholeOf(made as AsyncIterable<Uint8Array>, 1 << 24));
}
