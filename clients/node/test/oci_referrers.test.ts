import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Plugin } from "../src/index.js";
import { ArtifactError, pushArtifact, Registry, RegistryError } from "../src/oci/index.js";
import type { Descriptor, ImageIndex } from "../src/oci/index.js";
import { IN_MEMORY, inMemory } from "./helpers.js";
import { all } from "./listing.js";

let plugin: Plugin;
let registry: Registry;
before(async () => {
  // The tags are the client's here: the registry writes none.
  plugin = await inMemory({ config: `${IN_MEMORY}udist: {referrers: {tags: false}}\n` });
  registry = new Registry({ fetch: older });
});
after(() => plugin.close());

/** The plugin as a registry of before the referrers API. */
async function older(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
  if (input instanceof URL && input.pathname.includes("/referrers/")) return new Response(null, { status: 404 });
  const response = await plugin.fetch(input, init);
  response.headers.delete("oci-subject");
  return response;
}

/** What refers to `subject`, from the registry and from the tag. */
async function listed(name: string, subject: string, type?: string): Promise<Descriptor[]> {
  const found = await all(registry.listReferrers(name, subject, type));
  const { manifest } = await registry.getManifest(name, subject.replace(":", "-"));
  if (type === undefined) assert.deepEqual((manifest as ImageIndex).manifests, found);
  return found;
}

test("without the referrers API the list is kept under a tag", async () => {
  const subject = await pushArtifact(registry, "kept", []);
  assert.deepEqual(await all(registry.listReferrers("kept", subject.digest)), []);
  const annotations = { by: "hand" };
  const signature = await pushArtifact(registry, "kept", [], { subject, artifactType: "text/x-signature", annotations });
  const both = { artifactType: "text/x-signature", annotations };
  assert.deepEqual(await listed("kept", subject.digest), [{ ...signature, ...both }]);
  await pushArtifact(registry, "kept", [], { subject, artifactType: "text/x-signature", annotations });
  assert.equal((await listed("kept", subject.digest)).length, 1);
  assert.deepEqual(await listed("kept", subject.digest, "text/other"), []);
});

test("referrers that are pushed at the same time are all kept", async () => {
  const subject = await pushArtifact(registry, "many", []);
  const types = ["a", "b", "c", "d"].map((letter) => `text/x-${letter}`);
  await Promise.all(types.map((artifactType) => pushArtifact(registry, "many", [], { subject, artifactType })));
  const found = await listed("many", subject.digest);
  assert.deepEqual(found.map(({ artifactType }) => artifactType).sort(), types);
});

test("a referrer without a type has its configuration's", async () => {
  const subject = await pushArtifact(registry, "typeless", []);
  const { manifest } = await registry.getManifest("typeless", subject.digest);
  const typeless = { ...manifest, artifactType: "", subject };
  await registry.pushManifest("typeless", typeless);
  const [found] = await listed("typeless", subject.digest);
  assert.equal(found?.artifactType, "application/vnd.oci.empty.v1+json");
});

test("a registry that lists referrers itself gets no tag", async () => {
  const current = new Registry({ fetch: plugin.fetch });
  const subject = await pushArtifact(current, "current", []);
  await pushArtifact(current, "current", [], { subject });
  assert.equal((await all(current.listReferrers("current", subject.digest))).length, 1);
  await assert.rejects(current.resolveManifest("current", subject.digest.replace(":", "-")), { status: 404 });
});

test("a tag of referrers that is none is left alone", async () => {
  const subject = await pushArtifact(registry, "taken", []);
  const tag = subject.digest.replace(":", "-");
  await pushArtifact(registry, "taken", [], { tag });
  await assert.rejects(all(registry.listReferrers("taken", subject.digest)), RegistryError);
  await assert.rejects(pushArtifact(registry, "taken", [], { subject }), RegistryError);
  assert.equal((await registry.resolveManifest("taken", tag)).digest, subject.digest);
});

test("the tag of a long digest is cut", async () => {
  const asked: string[] = [];
  const fetch = (url: unknown): Promise<Response> => {
    asked.push(String(url));
    return Promise.resolve(new Response(null, { status: 404 }));
  };
  const digest = `sha512:${"0123456789abcdef".repeat(8)}`;
  assert.deepEqual(await all(new Registry({ fetch }).listReferrers("a", digest)), []);
  assert.equal(asked[1], `http://localhost/v2/a/manifests/sha512-${"0123456789abcdef".repeat(4)}`);
});

test("what is no manifest is not pushed", async () => {
  for (const text of ["<html>", "[]", '{"subject":5}', '{"mediaType":5}']) {
    await assert.rejects(registry.pushManifest("a", Buffer.from(text)), ArtifactError, text);
  }
});
