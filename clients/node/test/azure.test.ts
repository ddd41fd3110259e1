// A client of registries that nobody here wrote, over the plugin's fetch: Azure's, which takes any transport.

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { ReadableStream } from "node:stream/web";
import { after, before, test } from "node:test";

import { ContainerRegistryContentClient } from "@azure/container-registry";
import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";

import type { Plugin } from "../src/index.js";
import { digestOf, inMemory, pattern } from "./helpers.js";

type Body = NonNullable<RequestInit["body"]>;

const ENDPOINT = "https://registry.example"; // it sends nothing by plain HTTP
const CREDENTIAL = { getToken: () => Promise.reject(new Error("the plugin asks for no token")) };
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

let plugin: Plugin;
let options: { httpClient: HttpClient; retryOptions: { maxRetries: number } };
before(async () => {
  plugin = await inMemory();
  options = { httpClient: transport(plugin.fetch), retryOptions: { maxRetries: 0 } };
});
after(() => plugin.close());

/** A `fetch` as that library's transport. */
function transport(fetch: Plugin["fetch"]): HttpClient {
  return {
    async sendRequest(request) {
      const { url, method, abortSignal } = request;
      const streams = request.streamResponseStatusCodes;
      const body = typeof request.body === "function" ? request.body() : request.body;
      const stream = body instanceof Readable ? Readable.toWeb(body) : body;
      const response = await fetch(url, {
        method,
        headers: request.headers.toJSON(),
        redirect: "manual",
        signal: (abortSignal as AbortSignal | undefined) ?? null,
        ...(stream ? { body: stream as Body, duplex: "half" as const } : {}),
      });
      const headers = createHttpHeaders(Object.fromEntries(response.headers));
      const answer = { request, status: response.status, headers };
      if (!streams?.has(response.status) && !streams?.has(Number.POSITIVE_INFINITY)) {
        return { ...answer, bodyAsText: await response.text() };
      }
      const content = response.body as ReadableStream<Uint8Array> | null;
      return content ? { ...answer, readableStreamBody: Readable.fromWeb(content) } : answer;
    },
  };
}


test("an image is pushed, pulled and deleted", async () => {
  const client = new ContainerRegistryContentClient(ENDPOINT, "team/app", CREDENTIAL, options);
  const config = Buffer.from('{"architecture": "amd64", "os": "linux"}');
  const layer = pattern(9_000_000); // three chunks of its own
  for (const content of [config, layer]) {
    const { digest, sizeInBytes } = await client.uploadBlob(Readable.from([content]));
    assert.deepEqual([digest, sizeInBytes], [digestOf(content), content.length]);
  }
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
      layers: [
        { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf(layer), size: layer.length },
      ],
    }),
  );
  const { digest } = await client.setManifest(manifest, { tag: "v1", mediaType: MANIFEST });
  assert.equal(digest, digestOf(manifest));

  for (const reference of ["v1", digest]) {
    const pulled = await client.getManifest(reference);
    assert.deepEqual([pulled.digest, pulled.mediaType], [digest, MANIFEST]);
    assert.ok(pulled.content.equals(manifest));
  }
  const { content } = await client.downloadBlob(digestOf(layer));
  assert.ok((await buffer(content)).equals(layer));

  assert.deepEqual(await (await plugin.fetch("/v2/_catalog")).json(), { repositories: ["team/app"] });

  await client.deleteManifest(digest);
  await assert.rejects(client.getManifest("v1"), { statusCode: 404, message: /MANIFEST_UNKNOWN/ });
  await client.deleteBlob(digestOf(layer));
  await assert.rejects(client.downloadBlob(digestOf(layer)), { statusCode: 404 });
});

test("a digest that is not the content's is refused in the library's own way", async () => {
  const client = new ContainerRegistryContentClient(ENDPOINT, "team/other", CREDENTIAL, options);
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: {}, layers: [] }));
  await assert.rejects(client.setManifest(manifest, { tag: "v1", mediaType: MANIFEST }), { statusCode: 400 });
});
