import assert from "node:assert/strict";
import { test } from "node:test";

import { DigestError, Registry, RegistryError } from "../src/oci/index.js";
import { digestOf } from "./helpers.js";
import { all } from "./listing.js";

const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(Buffer.from("{}")), size: 2 };
const IMAGE = { schemaVersion: 2, config: EMPTY, layers: [EMPTY] };

/** A registry that answers whatever it is asked, and notes it. */
function answering(answer: (method: string, url: URL) => Response, url = "http://registry"): [Registry, string[]] {
  const asked: string[] = [];
  const fetch = (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const target = new URL(String(input));
    const often = asked.push(`${init.method} ${target.href}`) > 100;
    return often ? Promise.reject(new Error("asked without end")) : Promise.resolve(answer(init.method ?? "", target));
  };
  return [new Registry({ fetch, url }), asked];
}

function saying(body: unknown, init?: ResponseInit): Registry {
  return answering(() => new Response(typeof body === "string" ? body : JSON.stringify(body), init))[0];
}

test("whatever a failure says, its status is told", async () => {
  const bodies = ['{"errors":{}}', '{"errors":"boom"}', '{"errors":[null,{"code":5}]}', "null", "[]", "<html>", ""];
  for (const body of bodies) {
    const failing = saying(body, { status: 500 }).getManifest("a", "v1");
    await assert.rejects(failing, (error) => error instanceof RegistryError && error.status === 500, body);
  }
  const denied = saying({ errors: [null, { code: "DENIED", message: "no" }] }, { status: 403 });
  await assert.rejects(denied.hasBlob("a", EMPTY.digest), { status: 403, errors: [{ code: "DENIED", message: "no" }] });
});

test("what is no manifest is refused", async () => {
  const annotated = (annotations: unknown): object => ({ ...IMAGE, layers: [{ ...EMPTY, annotations }] });
  const documents = [
    "<html>log in</html>",
    "null",
    '"x"',
    { schemaVersion: 2 },
    { ...IMAGE, layers: undefined },
    { ...IMAGE, layers: [null] },
    { ...IMAGE, layers: [{ ...EMPTY, size: -1 }] },
    { ...IMAGE, config: { ...EMPTY, digest: 5 } },
    { ...IMAGE, schemaVersion: 1 },
    annotated({ "org.opencontainers.image.title": 5 }),
    annotated("title"),
    { schemaVersion: 2, manifests: {} },
  ];
  for (const document of documents) {
    await assert.rejects(saying(document).getManifest("a", "v1"), RegistryError, JSON.stringify(document));
  }
  await assert.rejects(saying({ ...IMAGE, layers: [5] }).getManifest("a", "v1"), /layers\[0\]: expected an object/);
});

test("null is an empty list, or nothing, as registries in Go write it", async () => {
  const { manifest } = await saying({ ...IMAGE, layers: null, annotations: null, subject: null }).getManifest("a", "v1");
  assert.deepEqual(manifest, { ...IMAGE, layers: [] });
  assert.deepEqual(await all(saying({ tags: null }).listTags("a")), []);
});

test("what is no list is refused", async () => {
  for (const body of ["<html>", "[]", '{"tags":"v1"}', '{"tags":[5]}']) {
    await assert.rejects(all(saying(body).listTags("a")), RegistryError, body);
  }
  for (const body of ["<html>", "{}", '{"manifests":[{}]}', "null"]) {
    await assert.rejects(all(saying(body).listReferrers("a", EMPTY.digest)), RegistryError, body);
  }
});

test("a manifest by its tag has the digest that the registry says", async () => {
  const headers = (digest: string): ResponseInit => ({ headers: { "docker-content-digest": digest } });
  const digest = digestOf(Buffer.from(JSON.stringify(IMAGE)));
  assert.equal((await saying(IMAGE, headers(digest)).getManifest("a", "v1")).descriptor.digest, digest);
  for (const other of [EMPTY.digest, "sha256:short", "md5:0123"]) {
    await assert.rejects(saying(IMAGE, headers(other)).getManifest("a", "v1"), DigestError);
  }
});

test("a size or a digest that HEAD does not tell is that of the content", async () => {
  const text = JSON.stringify(IMAGE);
  const digest = digestOf(Buffer.from(text));
  const told = [{ "docker-content-digest": digest }, { "content-length": String(text.length) }];
  for (const headers of told) {
    const [registry, asked] = answering((method) => new Response(method === "HEAD" ? null : text, { headers }));
    const resolved = await registry.resolveManifest("a", "v1");
    assert.deepEqual([resolved.digest, resolved.size], [digest, text.length]);
    assert.equal(asked.length, 2);
  }
});

test("lists go on over pages, however the Link is written", async () => {
  const target = "/v2/a/tags/list?last=b";
  const fields = [
    `<${target}>; rel="next"`,
    `<${target}>;rel=next`,
    `<${target}>; foo="bar"; rel="next"`,
    `<${target}>; title="a, b; rel=last"; rel="next"`,
    `<${target}> ; REL = "last next"`,
    `</v2/a/tags/list>; rel="first", <${target}>; rel="next"; rel="last"`,
  ];
  for (const link of fields) {
    const first = (): Response => new Response('{"tags":["a","b"]}', { headers: { link } });
    const [registry] = answering((_, { search }) => (search === "" ? first() : new Response('{"tags":["c"]}')));
    assert.deepEqual(await all(registry.listTags("a")), ["a", "b", "c"], link);
  }
  for (const link of [`<${target}>; title="rel=next"`, `<${target}>; rel="last"; rel="next"`, `<${target}>`, "next"]) {
    assert.deepEqual(await all(saying({ tags: ["a"] }, { headers: { link } }).listTags("a")), ["a"], link);
  }
});

test("a list that comes back to where it was, or goes where no registry is, is refused", async () => {
  const circle = (link: string): ResponseInit => ({ headers: { link } });
  for (const link of ["</v2/a/tags/list>; rel=next", "<?last=a>; rel=next", "<//[>; rel=next", "<mailto:a>; rel=next"]) {
    await assert.rejects(all(saying({ tags: ["a"] }, circle(link)).listTags("a")), RegistryError, link);
  }
});

test("an upload begins with a Location, or is refused", async () => {
  const [registry, asked] = answering(() => new Response(null, { status: 202 }));
  await assert.rejects(registry.pushBlob("a", EMPTY.digest, "{}"), /POST \/v2\/a\/blobs\/uploads\/: 202 with no Location/);
  assert.equal(asked.length, 1);
  for (const location of ["//[", "file:///etc"]) {
    const nowhere = saying("", { headers: { location } });
    await assert.rejects(nowhere.pushBlob("a", EMPTY.digest, "{}"), RegistryError);
  }
});

test("a stream that is not sent is cancelled", async () => {
  for (const digest of [EMPTY.digest, "sha256:short"]) {
    let cancelled = 0;
    const body = new ReadableStream({
      cancel() {
        cancelled++;
      },
    });
    await assert.rejects(saying({}, { status: 403 }).pushBlob("a", digest, body));
    assert.equal(cancelled, 1);
  }
});

test("a registry below a path is asked there", async () => {
  for (const url of ["https://host/pre/fix", "https://host/pre/fix/"]) {
    const [registry, asked] = answering(() => new Response('{"tags":[]}'), url);
    await all(registry.listTags("a"));
    assert.deepEqual(asked, ["GET https://host/pre/fix/v2/a/tags/list"]);
  }
});
