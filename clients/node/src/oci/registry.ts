import type { Answer } from "./answer.js";
import { algorithmOf, digestOf, verify, verifying } from "./digest.js";
import { ArtifactError } from "./errors.js";
import { documentOf, indexIn, manifestIn, namesIn, outlineIn } from "./parsing.js";
import type { Outline } from "./parsing.js";
import { keepReferrer, keptReferrers, referrerOf } from "./referrers.js";
import { discard, Transport } from "./transport.js";
import type { ByteStream, Content } from "./transport.js";
import { DOCKER_LIST, DOCKER_MANIFEST, INDEX, MANIFEST } from "./types.js";
import type { Descriptor, Manifest, PulledManifest } from "./types.js";

/** What a manifest may measure, as distribution has it. */
const MANIFEST_MAX = 4 << 20;
const ACCEPT = { accept: [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(", ") };

export interface RegistryOptions {
  /** The plugin's fetch, or the platform's. */
  readonly fetch: typeof globalThis.fetch;
  /** Where the registry is, below a path if it has one; of no importance to a plugin. */
  readonly url?: string | URL | undefined;
  /** Sent with every request, `authorization` for example. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * A registry by the distribution-spec, over any `fetch`. Every digest is checked. Rejects with a `RegistryError` for
 * answers that are failures or make no sense, and with whatever `fetch` rejects with.
 */
export class Registry {
  readonly #transport: Transport;
  #keeping: Promise<unknown> = Promise.resolve();

  constructor({ fetch, url = "http://localhost", headers = {} }: RegistryOptions) {
    this.#transport = new Transport(fetch, url, headers);
  }

  /** The names of all repositories, page by page. */
  repositories(): AsyncGenerator<string, void> {
    return this.#list("/v2/_catalog", "repositories");
  }

  /** The tags of a repository, page by page. */
  tags(name: string): AsyncGenerator<string, void> {
    return this.#list(`/v2/${name}/tags/list`, "tags");
  }

  /** A manifest by a tag or a digest. */
  async manifest(name: string, reference: string): Promise<PulledManifest> {
    const answer = await this.#transport.ask("GET", `/v2/${name}/manifests/${reference}`, { headers: ACCEPT });
    const content = await answer.content(MANIFEST_MAX);
    const digest = digestIn(answer, reference) ?? digestOf(content);
    verify(content, digest);
    const manifest = answer.parse(content, manifestIn);
    const mediaType = manifest.mediaType ?? answer.header("content-type") ?? MANIFEST;
    return { descriptor: { mediaType, digest, size: content.length }, content, manifest };
  }

  /** What a tag or a digest names, undefined if there is no such manifest. */
  async resolve(name: string, reference: string): Promise<Descriptor | undefined> {
    const path = `/v2/${name}/manifests/${reference}`;
    const answer = await this.#transport.ask("HEAD", path, { headers: ACCEPT, also: 404 });
    if (answer.status === 404) return undefined;
    const digest = digestIn(answer, reference);
    const size = answer.header("content-length");
    if (digest === null || size === null) return (await this.manifest(name, reference)).descriptor;
    algorithmOf(digest);
    return { mediaType: answer.header("content-type") ?? MANIFEST, digest, size: Number(size) };
  }

  /**
   * Pushes a manifest under its digest, and under a tag if one is given. Where the registry does not list referrers,
   * one with a subject is added to the list that clients keep.
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
    const path = `/v2/${name}/manifests/${options.tag ?? descriptor.digest}`;
    const request = { headers: { "content-type": mediaType }, body: content as Content };
    const answer = await this.#transport.ask("PUT", path, request);
    await answer.discard();
    const { subject } = outline;
    if (subject && answer.header("oci-subject") === null) {
      await this.#keep(() => keepReferrer(this, name, subject, referrerOf(descriptor, outline)));
    }
    return descriptor;
  }

  /** Deletes a tag, or a manifest by its digest with all its tags. */
  async deleteManifest(name: string, reference: string): Promise<void> {
    await this.#drop(`/v2/${name}/manifests/${reference}`);
  }

  /** Whether the repository has the blob. */
  async hasBlob(name: string, digest: string): Promise<boolean> {
    const answer = await this.#transport.ask("HEAD", `/v2/${name}/blobs/${digest}`, { also: 404 });
    return answer.response.ok;
  }

  /** A blob's content; reading it fails at the end unless it has the digest, and the size if one is given. */
  async blob(name: string, { digest, size }: { digest: string; size?: number }): Promise<ByteStream> {
    algorithmOf(digest);
    const { response } = await this.#transport.ask("GET", `/v2/${name}/blobs/${digest}`);
    const body = (response.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>;
    return body.pipeThrough(verifying(digest, size));
  }

  /**
   * Pushes a blob whose digest is known, in one request that streams. `size` is for bodies that do not tell theirs. A
   * stream is cancelled if the registry does not want it.
   */
  async pushBlob(name: string, digest: string, content: Content, size?: number): Promise<void> {
    try {
      algorithmOf(digest);
      const begun = await this.#transport.ask("POST", `/v2/${name}/blobs/uploads/`);
      await begun.discard();
      const location = begun.target("Location", begun.header("location"));
      location.searchParams.set("digest", digest);
      const length = size !== undefined && { "content-length": String(size) };
      const headers = { "content-type": "application/octet-stream", ...length };
      const answer = await this.#transport.ask("PUT", location, { headers, body: content });
      await answer.discard();
    } finally {
      await discard(content); // what fetch has begun to read is locked, and its own to end
    }
  }

  async deleteBlob(name: string, digest: string): Promise<void> {
    await this.#drop(`/v2/${name}/blobs/${digest}`);
  }

  /** What was pushed with this digest as its subject, of one artifact type or of all. */
  async *referrers(name: string, digest: string, artifactType?: string): AsyncGenerator<Descriptor, void> {
    const filter = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
    const answer = await this.#transport.ask("GET", `/v2/${name}/referrers/${digest}${filter}`, { also: 404 });
    const unavailable = answer.status === 404;
    if (unavailable) await answer.discard();
    const kept = unavailable ? await keptReferrers(this, name, digest) : undefined;
    for await (const page of unavailable ? [kept] : this.#transport.pages(answer, indexIn)) {
      for (const descriptor of page?.manifests ?? []) {
        if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
      }
    }
  }

  async *#list(path: string, key: string): AsyncGenerator<string, void> {
    const first = await this.#transport.ask("GET", path);
    for await (const names of this.#transport.pages(first, namesIn(key))) yield* names;
  }

  async #drop(path: string): Promise<void> {
    const answer = await this.#transport.ask("DELETE", path);
    await answer.discard();
  }

  /** One change of a list after another: of two that begin with the same list, one would be lost. */
  async #keep(change: () => Promise<void>): Promise<void> {
    const changed = this.#keeping.then(change);
    this.#keeping = changed.catch(() => undefined);
    await changed;
  }
}

/** The digest that an answer must have; null if neither the reference nor the registry tells one. */
function digestIn(answer: Answer, reference: string): string | null {
  return reference.includes(":") ? reference : answer.header("docker-content-digest");
}

/** What a manifest to push says of itself; the rest is the registry's to judge. */
function outlineOf(content: Uint8Array, name: string): Outline {
  try {
    return outlineIn(documentOf(content));
  } catch (error) {
    throw new ArtifactError(`what is to be pushed to ${name} is no manifest: ${(error as Error).message}`);
  }
}
