import { algorithmOf, digestOf, verifying } from "./digest.js";
import { DigestError, RegistryError } from "./errors.js";
import type { RegistryErrorEntry } from "./errors.js";
import { DOCKER_LIST, DOCKER_MANIFEST, INDEX, MANIFEST } from "./types.js";
import type { Descriptor, ImageIndex, Manifest, PulledManifest } from "./types.js";

/** What a manifest may measure, as distribution has it. */
const MANIFEST_MAX = 4 << 20;
const ACCEPT = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(", ");

export interface RegistryOptions {
  /** The plugin's fetch, or the platform's. */
  readonly fetch: typeof globalThis.fetch;
  /** Where the registry is; of no importance to a plugin. */
  readonly url?: string | URL | undefined;
  /** Sent with every request, `authorization` for example. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Any body that `fetch` takes. */
export type Content = NonNullable<RequestInit["body"]>;

/**
 * A registry by the distribution-spec, over any `fetch`. Every digest is checked. Rejects with a `RegistryError` for
 * answers that are failures, and with whatever `fetch` rejects with.
 */
export class Registry {
  readonly #fetch: typeof globalThis.fetch;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ fetch, url = "http://localhost", headers = {} }: RegistryOptions) {
    this.#fetch = fetch;
    this.#base = new URL(url);
    this.#headers = headers;
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
    const response = await this.#ask("GET", `/v2/${name}/manifests/${reference}`, { accept: ACCEPT });
    const content = await readAll(response, MANIFEST_MAX);
    const digest = reference.includes(":") ? reference : digestOf(content);
    await check(content, digest);
    const manifest = JSON.parse(Buffer.from(content).toString("utf8")) as Manifest;
    const mediaType = manifest.mediaType ?? response.headers.get("content-type") ?? MANIFEST;
    return { descriptor: { mediaType, digest, size: content.length }, content, manifest };
  }

  /** What a tag or a digest names, undefined if there is no such manifest. */
  async resolve(name: string, reference: string): Promise<Descriptor | undefined> {
    const response = await this.#ask("HEAD", `/v2/${name}/manifests/${reference}`, { accept: ACCEPT }, 404);
    if (response.status === 404) return undefined;
    const { headers } = response;
    const digest = reference.includes(":") ? reference : headers.get("docker-content-digest");
    if (!digest) return (await this.manifest(name, reference)).descriptor;
    return { mediaType: headers.get("content-type") ?? MANIFEST, digest, size: Number(headers.get("content-length")) };
  }

  /** Pushes a manifest under its digest, and under a tag if one is given. */
  async pushManifest(
    name: string,
    manifest: Manifest | Uint8Array,
    options: { tag?: string | undefined; mediaType?: string | undefined } = {},
  ): Promise<Descriptor> {
    const content = manifest instanceof Uint8Array ? manifest : Buffer.from(JSON.stringify(manifest));
    const parsed = JSON.parse(Buffer.from(content).toString("utf8")) as Manifest;
    const mediaType = options.mediaType ?? parsed.mediaType ?? MANIFEST;
    const digest = digestOf(content);
    const path = `/v2/${name}/manifests/${options.tag ?? digest}`;
    const response = await this.#ask("PUT", path, { "content-type": mediaType }, 201, content as Content);
    await response.body?.cancel();
    return { mediaType, digest, size: content.length };
  }

  /** Deletes a tag, or a manifest by its digest with all its tags. */
  async deleteManifest(name: string, reference: string): Promise<void> {
    await this.#drop(`/v2/${name}/manifests/${reference}`);
  }

  /** Whether the repository has the blob. */
  async hasBlob(name: string, digest: string): Promise<boolean> {
    return (await this.#ask("HEAD", `/v2/${name}/blobs/${digest}`, {}, 404)).ok;
  }

  /** A blob's content; reading it fails at the end unless it has the digest, and the size if one is given. */
  async blob(name: string, { digest, size }: { digest: string; size?: number }): Promise<ReadableStream<Uint8Array>> {
    algorithmOf(digest);
    const response = await this.#ask("GET", `/v2/${name}/blobs/${digest}`);
    const body = response.body ?? new Blob([]).stream();
    return (body as ReadableStream<Uint8Array>).pipeThrough(verifying(digest, size));
  }

  /** Pushes a blob whose digest is known, in one request that streams. `size` is for bodies that do not tell theirs. */
  async pushBlob(name: string, digest: string, content: Content, size?: number): Promise<void> {
    algorithmOf(digest);
    const begun = await this.#ask("POST", `/v2/${name}/blobs/uploads/`, {}, 202);
    await begun.body?.cancel();
    const location = new URL(begun.headers.get("location") ?? "", this.#base);
    location.searchParams.set("digest", digest);
    const headers = {
      "content-type": "application/octet-stream",
      ...(size !== undefined && { "content-length": String(size) }),
    };
    const response = await this.#ask("PUT", location, headers, 201, content);
    await response.body?.cancel();
  }

  async deleteBlob(name: string, digest: string): Promise<void> {
    await this.#drop(`/v2/${name}/blobs/${digest}`);
  }

  /** What was pushed with this digest as its subject, of one artifact type or of all. */
  async *referrers(name: string, digest: string, artifactType?: string): AsyncGenerator<Descriptor, void> {
    const filter = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
    for await (const page of this.#pages<ImageIndex>(`/v2/${name}/referrers/${digest}${filter}`)) {
      for (const descriptor of page.manifests) {
        if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
      }
    }
  }

  async *#list(path: string, key: string): AsyncGenerator<string, void> {
    for await (const page of this.#pages<Record<string, string[] | null>>(path)) yield* page[key] ?? [];
  }

  async *#pages<T>(path: string): AsyncGenerator<T, void> {
    let next: URL | undefined = new URL(path, this.#base);
    while (next) {
      const response: Response = await this.#ask("GET", next);
      yield (await response.json()) as T;
      const link: string | undefined = /<([^>]*)>\s*;\s*rel="?next/.exec(response.headers.get("link") ?? "")?.[1];
      next = link === undefined ? undefined : new URL(link, next);
    }
  }

  async #drop(path: string): Promise<void> {
    const response = await this.#ask("DELETE", path, {}, 202);
    await response.body?.cancel();
  }

  /** A response of a 2xx status, or of `also`. */
  async #ask(
    method: string,
    path: string | URL,
    headers: Readonly<Record<string, string>> = {},
    also = 200,
    body?: Content,
  ): Promise<Response> {
    const url = new URL(path, this.#base);
    const own = url.origin === this.#base.origin ? this.#headers : {};
    const streams = body instanceof ReadableStream && ({ duplex: "half" } as const);
    const init = { method, headers: { ...own, ...headers }, ...(body !== undefined && { body }), ...streams };
    const response = await this.#fetch(url, init);
    if (response.ok || response.status === also) return response;
    throw await failure(method, url, response);
  }
}

async function failure(method: string, url: URL, response: Response): Promise<RegistryError> {
  const text = Buffer.from(await readAll(response, 64 << 10).catch(() => new Uint8Array())).toString("utf8");
  let errors: RegistryErrorEntry[] = [];
  try {
    errors = (JSON.parse(text) as { errors?: RegistryErrorEntry[] }).errors ?? [];
  } catch {
    // Not every proxy speaks JSON; the status says enough.
  }
  const told = errors.map(({ code, message }) => (message ? `${code}: ${message}` : code)).join("; ");
  const summary = `${method} ${url.pathname}: ${response.status} ${told || response.statusText}`;
  return new RegistryError(summary, response.status, errors);
}

async function readAll(response: Response, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    total += piece.length;
    if (total > limit) throw new DigestError(`an answer of more than ${limit} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function check(content: Uint8Array, digest: string): Promise<void> {
  const checked = new Blob([content as Uint8Array<ArrayBuffer>]).stream().pipeThrough(verifying(digest));
  await checked.pipeTo(new WritableStream());
}
