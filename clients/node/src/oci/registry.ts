import { RequestError } from "../errors.js";
import type { Answer } from "./answer.js";
import { algorithmOf, digestOf, verifying } from "./digest.js";
import { ArtifactError, RegistryError } from "./errors.js";
import { Manifests } from "./manifests.js";
import { documentOf, namesIn, outlineIn } from "./parsing.js";
import type { Outline } from "./parsing.js";
import { referrerOf, Referrers } from "./referrers.js";
import { discard, Transport } from "./transport.js";
import type { ByteStream, Content } from "./transport.js";
import { MANIFEST } from "./types.js";
import type { Descriptor, Manifest, PulledManifest } from "./types.js";

const OCTET_STREAM = "application/octet-stream";

export interface RegistryOptions {
  /** `plugin.fetch`, or the platform's. */
  readonly fetch: typeof globalThis.fetch;
  /** The URL of the registry, with a path if it has one. Not needed for a plugin. */
  readonly url?: string | URL | undefined;
  /** Headers to send with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A part of a list: at most `limit` names, of those after `last` in the registry's order. */
export interface ListOptions {
  readonly limit?: number | undefined;
  readonly last?: string | undefined;
}

/**
 * A client of an OCI registry, over any `fetch`. Every digest is verified. Its methods reject with a `RegistryError` if
 * the registry answers with an error or not as the distribution-spec says, with a `DigestError` if content does not
 * match its digest, and with whatever `fetch` rejects with.
 */
export class Registry {
  readonly #transport: Transport;
  readonly #manifests: Manifests;
  readonly #referrers: Referrers;

  constructor({ fetch, url = "http://localhost", headers = {} }: RegistryOptions) {
    this.#transport = new Transport(fetch, url, headers);
    this.#manifests = new Manifests(this.#transport);
    this.#referrers = new Referrers(this.#transport, this.#manifests);
  }

  /** Returns the descriptor of a blob. Rejects if the repository does not have it. */
  async resolveBlob(name: string, digest: string): Promise<Descriptor> {
    algorithmOf(digest);
    const answer = await this.#transport.ask("HEAD", blobPath(name, digest));
    const size = answer.header("content-length");
    if (size === null) throw answer.refused("no Content-Length");
    return { mediaType: OCTET_STREAM, digest, size: Number(size) };
  }

  /** Returns whether the repository has the blob. */
  async hasBlob(name: string, digest: string): Promise<boolean> {
    const answer = await this.#transport.ask("HEAD", blobPath(name, digest), { also: 404 });
    return answer.response.ok;
  }

  /** Returns the content of a blob. Reading it fails unless it matches the digest, and the size if you pass one. */
  async openBlob(name: string, { digest, size }: { digest: string; size?: number }): Promise<ByteStream> {
    algorithmOf(digest);
    const { response } = await this.#transport.ask("GET", blobPath(name, digest));
    const body = (response.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>;
    return body.pipeThrough(verifying(digest, size));
  }

  /**
   * Adds a blob of the repository `source`, or of any repository, to `name` without sending it. Rejects with the error
   * code BLOB_UNKNOWN if the registry does not mount it.
   */
  async mountBlob(name: string, digest: string, source?: string): Promise<Descriptor> {
    algorithmOf(digest);
    const query = new URLSearchParams({ mount: digest, ...(source !== undefined && { from: source }) });
    const answer = await this.#transport.send("POST", `${uploadsPath(name)}?${query.toString()}`);
    if (answer.status === 201) return this.resolveBlob(name, digest);
    const begun = locationOf(answer); // of an upload, instead
    await this.#transport.send("DELETE", begun).catch(() => undefined);
    const message = `${digest} cannot be mounted from ${source ?? "any repository"}; push the blob to ${name} instead`;
    throw new RegistryError(message, answer.status, [{ code: "BLOB_UNKNOWN" }]);
  }

  /**
   * Pushes a blob in one request, as a stream. Pass `size` if `content` is a stream of known size. A stream that the
   * registry rejects is cancelled.
   */
  async pushBlob(name: string, digest: string, content: Content, size?: number): Promise<void> {
    try {
      algorithmOf(digest);
      const location = locationOf(await this.#transport.send("POST", uploadsPath(name)));
      location.searchParams.set("digest", digest);
      const length = size !== undefined && { "content-length": String(size) };
      const headers = { "content-type": OCTET_STREAM, ...length };
      await this.#transport.send("PUT", location, { headers, body: content });
    } finally {
      await discard(content); // what fetch has begun to read is locked, and its own to end
    }
  }

  /** Deletes a blob from the repository. */
  async deleteBlob(name: string, digest: string): Promise<void> {
    algorithmOf(digest);
    await this.#transport.send("DELETE", blobPath(name, digest));
  }

  /** Returns the descriptor of a manifest, by tag or digest. Rejects if there is none. */
  async resolveManifest(name: string, reference: string): Promise<Descriptor> {
    return this.#manifests.resolve(name, reference);
  }

  /** Returns a manifest, by tag or digest. */
  async getManifest(name: string, reference: string): Promise<PulledManifest> {
    return this.#manifests.get(name, reference);
  }

  /**
   * Pushes a manifest, and points `tag` at it if you pass one. If it has a subject and the registry has no referrers
   * API, it is added to the index under the distribution-spec's fallback tag.
   */
  async pushManifest(
    name: string,
    manifest: Manifest | Uint8Array,
    options: { tag?: string | undefined; mediaType?: string | undefined } = {},
  ): Promise<Descriptor> {
    const content = manifest instanceof Uint8Array ? manifest : Buffer.from(JSON.stringify(manifest));
    const outline = outlineOf(content, name);
    const mediaType = options.mediaType ?? outline.mediaType ?? MANIFEST;
    const descriptor = { mediaType, digest: digestOf(content), size: content.length };
    const listed = await this.#manifests.push(name, options.tag ?? descriptor.digest, content, mediaType);
    const { subject } = outline;
    if (subject && !listed) await this.#referrers.add(name, subject, referrerOf(descriptor, outline));
    return descriptor;
  }

  /** Deletes a manifest and all tags that point at it. */
  async deleteManifest(name: string, digest: string): Promise<void> {
    algorithmOf(digest);
    await this.#manifests.delete(name, digest);
  }

  /** Deletes a tag, but not the manifest. */
  async deleteTag(name: string, tag: string): Promise<void> {
    if (tag.includes(":")) throw new RequestError(`${tag} is not a tag; deleteManifest takes a digest`);
    await this.#manifests.delete(name, tag);
  }

  /** Yields the names of repositories, fetched page by page; without options, of all. */
  listRepositories(options: ListOptions = {}): AsyncGenerator<string, void> {
    return this.#list("/v2/_catalog", "repositories", options);
  }

  /** Yields the tags of a repository, fetched page by page; without options, all. */
  listTags(name: string, options: ListOptions = {}): AsyncGenerator<string, void> {
    return this.#list(`/v2/${name}/tags/list`, "tags", options);
  }

  /** Yields the descriptors of manifests whose subject is `digest`, of one artifact type or of all. */
  listReferrers(name: string, digest: string, artifactType?: string): AsyncGenerator<Descriptor, void> {
    return this.#referrers.list(name, digest, artifactType);
  }

  async *#list(path: string, key: string, { limit = Infinity, last }: ListOptions): AsyncGenerator<string, void> {
    const count = Number.isFinite(limit) && { n: String(limit) };
    const query = new URLSearchParams({ ...count, ...(last !== undefined && { last }) }).toString();
    const first = await this.#transport.ask("GET", query ? `${path}?${query}` : path);
    let left = limit;
    for await (const names of this.#transport.pages(first, namesIn(key))) {
      yield* names.slice(0, left);
      left -= names.length;
      if (left <= 0) return;
    }
  }
}

function blobPath(name: string, digest: string): string {
  return `/v2/${name}/blobs/${digest}`;
}

function uploadsPath(name: string): string {
  return `/v2/${name}/blobs/uploads/`;
}

/** Where an upload goes on that was begun. */
function locationOf(begun: Answer): URL {
  return begun.target("Location", begun.header("location"));
}

/** What a manifest to push says of itself; the rest is the registry's to judge. */
function outlineOf(content: Uint8Array, name: string): Outline {
  try {
    return outlineIn(documentOf(content));
  } catch (error) {
    throw new ArtifactError(`cannot push to ${name}: the content is not a manifest: ${(error as Error).message}`);
  }
}
