import { lstat } from "node:fs/promises";
import { join } from "node:path";

import { isIndex, pullArtifact, pushArtifact } from "udist-plugin/oci";
import type { Descriptor, SourceFile } from "udist-plugin/oci";

import { titleOf } from "./layers.js";
import type { Store } from "./store.js";

/** An image or artifact in a store. */
export interface Target {
  readonly store: Store;
  readonly name: string;
  /** A tag or a digest. */
  readonly reference: string;
}

/** How much of a transfer is done, in blobs and manifests. */
export interface Transfer {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
}

const NAME = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** What `name:tag` names; undefined if it is not of this form. */
export function namedIn(text: string): { name: string; tag: string } | undefined {
  const [name = "", tag = "", ...more] = text.split(":");
  return more.length === 0 && NAME.test(name) && TAG.test(tag) ? { name, tag } : undefined;
}

/** Pushes files as one artifact with a tag. What was sent before it is cancelled is not tagged. */
export async function push(
  { store, name, reference }: Target,
  files: readonly SourceFile[],
  { signal, progress }: Transfer,
): Promise<Descriptor> {
  const total = files.length + 2; // the empty configuration and the manifest
  let done = 0;
  const registry = store.registry(signal, (method) => {
    if (method !== "POST") progress(++done, total); // of each blob, one HEAD or PUT is answered with success
  });
  progress(done, total);
  return pushArtifact(registry, name, files, { tag: reference });
}

/** The files of an artifact: their names, and which of them are in `folder` already. */
export async function filesOf(
  { store, name, reference }: Target,
  folder: string,
  signal: AbortSignal,
): Promise<{ digest: string; titles: string[]; existing: string[] }> {
  const { manifest, descriptor } = await store.registry(signal).getManifest(name, reference);
  const titles = isIndex(manifest) ? [] : manifest.layers.flatMap((layer) => titleOf(layer) ?? []);
  const there = await Promise.all(titles.map((title) => lstat(join(folder, title)).catch(() => undefined)));
  return { digest: descriptor.digest, titles, existing: titles.filter((_, i) => there[i]) };
}

/** Writes the files of an artifact into `folder`, and returns their paths. */
export async function pull(
  { store, name, reference }: Target,
  folder: string,
  { signal, progress, files }: Transfer & { files: number },
): Promise<string[]> {
  let done = 0;
  const registry = store.registry(signal, () => progress(done++, files)); // the manifest's answer is the first
  const pulled = await pullArtifact(registry, name, reference, folder);
  return pulled.files.map(({ path }) => path);
}

/** Deletes a tag, or a manifest by its digest. */
export async function remove({ store, name, reference }: Target, signal: AbortSignal): Promise<void> {
  const registry = store.registry(signal);
  await (reference.includes(":") ? registry.deleteManifest(name, reference) : registry.deleteTag(name, reference));
}
