import { algorithmOf } from "./digest.js";
import { RegistryError } from "./errors.js";
import type { Outline } from "./parsing.js";
import type { Registry } from "./registry.js";
import { INDEX, isIndex } from "./types.js";
import type { Descriptor, ImageIndex } from "./types.js";

// Where a registry has no referrers API, clients keep the list under a tag (distribution-spec, "Unavailable Referrers
// API").

/** The tag of what refers to a digest ("Referrers Tag Schema"); a tag may not be as long as a digest. */
export function referrersTag(digest: string): string {
  const algorithm = algorithmOf(digest);
  const hexadecimal = digest.slice(algorithm.length + 1);
  return `${algorithm.slice(0, 32)}-${hexadecimal.slice(0, 64)}`;
}

/** The list that is kept for a digest; undefined if there is none. */
export async function keptReferrers(registry: Registry, name: string, digest: string): Promise<ImageIndex | undefined> {
  const tag = referrersTag(digest);
  const pulled = await registry.manifest(name, tag).catch((error: unknown) => {
    if (error instanceof RegistryError && error.status === 404) return undefined;
    throw error;
  });
  if (!pulled) return undefined;
  if (isIndex(pulled.manifest)) return pulled.manifest;
  throw new RegistryError(`${name}:${tag} is to be an index of referrers, and is an image; delete the tag`, 200, []);
}

/** Adds a referrer to the list that is kept for its subject ("Pushing Manifests with Subject"). */
export async function keepReferrer(
  registry: Registry,
  name: string,
  subject: Descriptor,
  referrer: Descriptor,
): Promise<void> {
  const kept = await keptReferrers(registry, name, subject.digest);
  const manifests = kept?.manifests ?? [];
  if (manifests.some(({ digest }) => digest === referrer.digest)) return;
  const index: ImageIndex = { schemaVersion: 2, mediaType: INDEX, ...kept, manifests: [...manifests, referrer] };
  await registry.pushManifest(name, index, { tag: referrersTag(subject.digest) });
}

/** A manifest's descriptor in a list of referrers ("Listing Referrers"). */
export function referrerOf(descriptor: Descriptor, { artifactType, config, annotations }: Outline): Descriptor {
  const type = artifactType === "" ? config?.mediaType : (artifactType ?? config?.mediaType);
  return { ...descriptor, ...(type && { artifactType: type }), ...(annotations && { annotations }) };
}
