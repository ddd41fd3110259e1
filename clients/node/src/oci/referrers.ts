import { algorithmOf } from "./digest.js";
import { RegistryError } from "./errors.js";
import type { Manifests } from "./manifests.js";
import { indexIn } from "./parsing.js";
import type { Outline } from "./parsing.js";
import type { Transport } from "./transport.js";
import { INDEX, isIndex } from "./types.js";
import type { Descriptor, ImageIndex } from "./types.js";

/**
 * What refers to a manifest. Where a registry has no referrers API, clients keep the list under a tag
 * (distribution-spec, "Unavailable Referrers API").
 */
export class Referrers {
  #adding: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly transport: Transport,
    private readonly manifests: Manifests,
  ) {}

  async *list(name: string, digest: string, artifactType?: string): AsyncGenerator<Descriptor, void> {
    const filter = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
    const answer = await this.transport.ask("GET", `/v2/${name}/referrers/${digest}${filter}`, { also: 404 });
    const unavailable = answer.status === 404;
    if (unavailable) await answer.discard();
    const tagged = unavailable ? await this.#tagged(name, digest) : undefined;
    for await (const page of unavailable ? [tagged] : this.transport.pages(answer, indexIn)) {
      for (const descriptor of page?.manifests ?? []) {
        if (artifactType === undefined || descriptor.artifactType === artifactType) yield descriptor;
      }
    }
  }

  /**
   * Adds a referrer to the tagged list of its subject ("Pushing Manifests with Subject"): one after another, since of
   * two that begin with the same list, one would be lost.
   */
  async add(name: string, subject: Descriptor, referrer: Descriptor): Promise<void> {
    const added = this.#adding.then(() => this.#add(name, subject, referrer));
    this.#adding = added.catch(() => undefined);
    await added;
  }

  async #add(name: string, subject: Descriptor, referrer: Descriptor): Promise<void> {
    const tagged = await this.#tagged(name, subject.digest);
    const manifests = tagged?.manifests ?? [];
    if (manifests.some(({ digest }) => digest === referrer.digest)) return;
    const index: ImageIndex = { schemaVersion: 2, mediaType: INDEX, ...tagged, manifests: [...manifests, referrer] };
    const content = Buffer.from(JSON.stringify(index));
    await this.manifests.push(name, tagOf(subject.digest), content, index.mediaType ?? INDEX);
  }

  /** The list that is tagged for a digest; undefined if there is none. */
  async #tagged(name: string, digest: string): Promise<ImageIndex | undefined> {
    const tag = tagOf(digest);
    const pulled = await this.manifests.get(name, tag).catch((error: unknown) => {
      if (error instanceof RegistryError && error.status === 404) return undefined;
      throw error;
    });
    if (!pulled) return undefined;
    if (isIndex(pulled.manifest)) return pulled.manifest;
    throw new RegistryError(`${name}:${tag} should be an index of referrers, but is an image; delete the tag`, 200, []);
  }
}

/** A manifest's descriptor in a list of referrers ("Listing Referrers"). */
export function referrerOf(descriptor: Descriptor, { artifactType, config, annotations }: Outline): Descriptor {
  const type = artifactType === "" ? config?.mediaType : (artifactType ?? config?.mediaType);
  return { ...descriptor, ...(type && { artifactType: type }), ...(annotations && { annotations }) };
}

/** The tag of what refers to a digest ("Referrers Tag Schema"); a tag may not be as long as a digest. */
function tagOf(digest: string): string {
  const algorithm = algorithmOf(digest);
  const hexadecimal = digest.slice(algorithm.length + 1);
  return `${algorithm.slice(0, 32)}-${hexadecimal.slice(0, 64)}`;
}
