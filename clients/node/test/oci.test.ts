import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { RequestError } from "../src/index.js";
import type { Plugin } from "../src/index.js";
import { ArtifactError, DigestError, pullArtifact, pushArtifact, Registry, RegistryError } from "../src/oci/index.js";
import type { ImageManifest } from "../src/oci/index.js";
import { digestOf, IN_MEMORY, inMemory, output, pattern, python } from "./helpers.js";
import { all } from "./listing.js";

let plugin: Plugin;
let registry: Registry;
let folder: string;
before(async () => {
  // Only the tags pushed are listed: the registry adds none of its own.
  plugin = await inMemory({ config: `${IN_MEMORY}udist: {referrers: {tags: false}}\n` });
  registry = new Registry({ fetch: plugin.fetch });
  folder = await mkdtemp(join(tmpdir(), "udist-node-"));
});
after(async () => {
  await plugin.close();
  await rm(folder, { recursive: true });
});

async function file(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

test("blobs are pushed, found, pulled and deleted", async () => {
  const content = pattern(300_000) as Buffer<ArrayBuffer>;
  const digest = digestOf(content);
  assert.equal(await registry.hasBlob("blobs", digest), false);
  await registry.pushBlob("blobs", digest, content);
  assert.equal(await registry.hasBlob("blobs", digest), true);
  const descriptor = { mediaType: "application/octet-stream", digest, size: 300_000 };
  assert.deepEqual(await registry.resolveBlob("blobs", digest), descriptor);
  const pulled = await new Response(await registry.openBlob("blobs", { digest, size: 300_000 })).arrayBuffer();
  assert.ok(Buffer.from(pulled).equals(content));
  await registry.deleteBlob("blobs", digest);
  await assert.rejects(registry.openBlob("blobs", { digest }), (error) => {
    assert.ok(error instanceof RegistryError);
    return error.status === 404 && error.errors[0]?.code === "BLOB_UNKNOWN" && error.code === "UDIST_ERR_HTTP";
  });
});

test("a blob is mounted from another repository, and where there is none nothing is left", async () => {
  const content = pattern(5000) as Buffer<ArrayBuffer>;
  const digest = digestOf(content);
  await registry.pushBlob("mount/source", digest, content);
  const descriptor = { mediaType: "application/octet-stream", digest, size: 5000 };
  assert.deepEqual(await registry.mountBlob("mount/named", digest, "mount/source"), descriptor);
  assert.deepEqual(await registry.mountBlob("mount/any", digest), descriptor);
  const asked: string[] = [];
  const noting: Plugin["fetch"] = async (input, init) => {
    const response = await plugin.fetch(input, init);
    asked.push(`${init?.method} ${response.status}`);
    return response;
  };
  const noted = new Registry({ fetch: noting });
  await assert.rejects(noted.mountBlob("mount/none", digestOf(Buffer.from("unknown")), "mount/source"), (error) => {
    assert.ok(error instanceof RegistryError);
    return error.status === 202 && error.errors[0]?.code === "BLOB_UNKNOWN";
  });
  assert.deepEqual(asked, ["POST 202", "DELETE 204"]);
});

test("a tag is deleted by its name alone, and a manifest by its digest", async () => {
  const { digest } = await pushArtifact(registry, "demo/deleted", [], { tag: "v1" });
  await assert.rejects(registry.deleteManifest("demo/deleted", "v1"), DigestError);
  await assert.rejects(registry.deleteTag("demo/deleted", digest), RequestError);
  await registry.deleteTag("demo/deleted", "v1");
  await assert.rejects(registry.resolveManifest("demo/deleted", "v1"), { status: 404 });
  assert.equal((await registry.resolveManifest("demo/deleted", digest)).digest, digest);
});

test("content that is not its digest's fails while it is read", async () => {
  const digest = digestOf(pattern(8));
  const lying = new Registry({ fetch: () => Promise.resolve(new Response("something else")) });
  for (const wanted of [{ digest }, { digest, size: 3 }, { digest, size: 300 }]) {
    const stream = await lying.openBlob("lies", wanted);
    await assert.rejects(new Response(stream).text(), DigestError);
  }
  await assert.rejects(lying.getManifest("lies", digest), DigestError);
  await assert.rejects(lying.openBlob("lies", { digest: "sha256:../../etc" }), DigestError);
});

test("files go through an artifact and back, and the same files make the same digest", async () => {
  const paths = [await file("a.bin", pattern(3_000_000)), await file("empty", "")];
  const pushed = await pushArtifact(registry, "demo/files", paths, { tag: "v1", artifactType: "text/x-test" });
  assert.deepEqual(await pushArtifact(registry, "demo/files", paths, { artifactType: "text/x-test" }), pushed);
  const out = join(folder, "out");
  const { files, manifest } = await pullArtifact(registry, "demo/files", "v1", out);
  assert.equal(manifest.descriptor.digest, pushed.digest);
  assert.equal((manifest.manifest as ImageManifest).artifactType, "text/x-test");
  assert.deepEqual(
    files.map(({ path }) => path),
    [join(out, "a.bin"), join(out, "empty")],
  );
  assert.ok((await readFile(join(out, "a.bin"))).equals(pattern(3_000_000)));
});

test("repositories, tags, referrers, and what deleting leaves", async () => {
  const path = await file("note.txt", "to be kept\n");
  const subject = await pushArtifact(registry, "demo/lists", [path], { tag: "v1" });
  await registry.pushManifest("demo/lists", (await registry.getManifest("demo/lists", "v1")).content, { tag: "v2" });
  const referrer = await pushArtifact(registry, "demo/lists", [path], { subject, artifactType: "text/x-sbom" });
  assert.ok((await all(registry.listRepositories())).includes("demo/lists"));
  assert.deepEqual(await all(registry.listTags("demo/lists")), ["v1", "v2"]);
  assert.deepEqual(await all(registry.listTags("demo/lists", { limit: 1 })), ["v1"]);
  assert.deepEqual(await all(registry.listTags("demo/lists", { limit: 5, last: "v1" })), ["v2"]);
  const found = await all(registry.listReferrers("demo/lists", subject.digest, "text/x-sbom"));
  assert.deepEqual(
    found.map(({ digest }) => digest),
    [referrer.digest],
  );
  assert.deepEqual(await all(registry.listReferrers("demo/lists", subject.digest, "text/other")), []);
  await registry.deleteTag("demo/lists", "v2");
  assert.deepEqual(await all(registry.listTags("demo/lists")), ["v1"]);
  await registry.deleteManifest("demo/lists", subject.digest);
  await assert.rejects(registry.resolveManifest("demo/lists", "v1"), { status: 404 });
});

test("no file leaves the output folder", async () => {
  const path = await file("harmless", "x");
  const out = join(folder, "guarded");
  for (const title of ["../out", "/etc/x", "a/../../b", "."]) {
    const { digest } = await pushArtifact(registry, "demo/unsafe", [{ path, title }]);
    await assert.rejects(pullArtifact(registry, "demo/unsafe", digest, out), ArtifactError);
  }
  const { digest } = await pushArtifact(registry, "demo/unsafe", [{ path, title: "link/x" }]);
  await mkdir(out, { recursive: true });
  await symlink(tmpdir(), join(out, "link"));
  await assert.rejects(pullArtifact(registry, "demo/unsafe", digest, out), ArtifactError);
});

test("a folder and two files of one name are refused", async () => {
  await assert.rejects(pushArtifact(registry, "demo/folder", [folder]), ArtifactError);
  const path = await file("twice", "x");
  await assert.rejects(pushArtifact(registry, "demo/folder", [path, path]), ArtifactError);
});

test("a folder that stands in a file's place is left there", async () => {
  const path = await file("placed", "x");
  const { digest } = await pushArtifact(registry, "demo/placed", [{ path, title: "placed" }]);
  const out = join(folder, "occupied");
  await mkdir(join(out, "placed", "kept"), { recursive: true });
  await assert.rejects(pullArtifact(registry, "demo/placed", digest, out), ArtifactError);
  assert.deepEqual(await readdir(out, { recursive: true }), ["placed", join("placed", "kept")]);
});

test("annotations stand in the order of udist push", async () => {
  const annotations = { "9": "nine", "10": "ten", b: '"\u2028"', a: "\u0001ü", "\u{1f600}": "astral", "\uffee": "basic" };
  const subject = await pushArtifact(registry, "demo/order", []);
  const { digest } = await pushArtifact(registry, "demo/order", [], { annotations, subject });
  const program = `
import json, sys
from udist_plugin.images.artifact import manifest_of
from udist_plugin.oci.descriptor import Descriptor
annotations, subject = json.loads(sys.argv[1])
sys.stdout.buffer.write(manifest_of([], None, annotations, Descriptor.from_json(subject)))`;
  const expected = output(python(), "-c", program, JSON.stringify([annotations, subject]));
  const { content } = await registry.getManifest("demo/order", digest);
  assert.equal(Buffer.from(content).toString("utf8"), expected);
});

test("a push that is refused leaves no file open", { skip: process.platform !== "linux", timeout: 10_000 }, async () => {
  const path = await file("refused", pattern(3_000_000));
  const open = async (): Promise<number> => {
    const descriptors = await readdir("/proc/self/fd");
    const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
    return links.filter((link) => link === path).length;
  };
  for (const refused of ["POST", "PUT"]) {
    const fetch: Plugin["fetch"] = (input, init) =>
      init?.method === refused ? Promise.resolve(new Response(null, { status: 403 })) : plugin.fetch(input, init);
    await assert.rejects(pushArtifact(new Registry({ fetch }), "demo/refused", [path]), { status: 403 });
    while ((await open()) > 0) await turn(); // closing takes a turn or two; a leak runs into the time limit
  }
});
