import type { Registry } from "udist-plugin/oci";

import { fileIn, listingOf, textOf, titleIn, wholeOf } from "./layers.js";

/** The most of a document that is shown, in bytes. */
const PREVIEW_MAX = 16 << 20;

/**
 * What a `udist:` URI names. Its path is one of
 *
 *     /STORE/NAME/manifests/REFERENCE.json
 *     /STORE/NAME/blobs/DIGEST/FILE
 *     /STORE/NAME/layers/DIGEST/contents.txt
 *     /STORE/NAME/layers/DIGEST/files/PATH
 */
export type Place = { readonly store: string; readonly name: string } & (
  | { readonly kind: "manifest"; readonly reference: string }
  | { readonly kind: "blob"; readonly digest: string; readonly file: string }
  | { readonly kind: "contents"; readonly digest: string }
  | { readonly kind: "file"; readonly digest: string; readonly path: string }
);

// Only a digest has a colon: the first segment with one ends the repository's name.
const CONTENT = /^\/([^/]+)\/([^:]+)\/(blobs|layers)\/([^/:]+:[^/]+)\/(.+)$/;
const MANIFEST = /^\/([^/]+)\/(.+)\/manifests\/([^/]+)\.json$/;

export function pathOf(place: Place): string {
  const base = `/${place.store}/${place.name}`;
  switch (place.kind) {
    case "manifest":
      return `${base}/manifests/${place.reference}.json`;
    case "blob":
      return `${base}/blobs/${place.digest}/${place.file}`;
    case "contents":
      return `${base}/layers/${place.digest}/contents.txt`;
    case "file":
      return `${base}/layers/${place.digest}/files/${place.path}`;
  }
}

/** What a path names; undefined if it names nothing. */
export function placeIn(path: string): Place | undefined {
  const [, store = "", name = "", kind, digest = "", rest = ""] = CONTENT.exec(path) ?? [];
  if (kind === "blobs") return { store, name, kind: "blob", digest, file: rest };
  if (kind === "layers" && rest === "contents.txt") return { store, name, kind: "contents", digest };
  if (kind === "layers" && rest.startsWith("files/")) {
    return { store, name, kind: "file", digest, path: rest.slice("files/".length) };
  }
  const manifest = MANIFEST.exec(path);
  if (kind !== undefined || !manifest) return undefined;
  return { store: manifest[1] ?? "", name: manifest[2] ?? "", kind: "manifest", reference: manifest[3] ?? "" };
}

/** The content of a document. JSON is laid out to be read. */
export async function contentOf(registry: Registry, place: Place): Promise<Uint8Array> {
  const { name, kind } = place;
  if (kind === "manifest") return laidOut((await registry.getManifest(name, place.reference)).content);
  const blob = await registry.openBlob(name, place);
  if (kind === "contents") return Buffer.from(textOf(await listingOf(blob)));
  if (kind === "file") return fileIn(blob, place.path, PREVIEW_MAX);
  const content = await wholeOf(blob, PREVIEW_MAX);
  return place.file.endsWith(".json") ? laidOut(content) : content;
}

/** JSON with a line for each value; other content as it is. */
function laidOut(content: Uint8Array): Uint8Array {
  try {
    return Buffer.from(`${JSON.stringify(JSON.parse(Buffer.from(content).toString()), null, 2)}\n`);
  } catch {
    return content;
  }
}

export interface Link {
  /** Where it stands in the text. */
  readonly start: number;
  readonly end: number;
  readonly place: Place;
}

const DIGEST = /"digest":\s*"([a-z0-9]+:[0-9a-f]{32,})"/g;

/** The links of a document: of a manifest its digests, of a layer's listing its files. */
export function linksIn(text: string, place: Place): Link[] {
  if (place.kind === "manifest") return digestsIn(text, place);
  return place.kind === "contents" ? filesIn(text, place) : [];
}

const FILE = /^file +[0-7]+ +\d+ (.+)$/gm;

function filesIn(text: string, { store, name, digest }: Extract<Place, { kind: "contents" }>): Link[] {
  return [...text.matchAll(FILE)].map(({ 0: line, 1: path = "", index }) => {
    const end = index + line.length;
    return { start: end - path.length, end, place: { store, name, kind: "file", digest, path } };
  });
}

/** A digest is a link to what it names: one of the manifests or the subject, the configuration, or a layer. */
function digestsIn(text: string, { store, name }: Place): Link[] {
  const kinds = kindsIn(text);
  return [...text.matchAll(DIGEST)].flatMap((match) => {
    const digest = match[1] ?? "";
    const kind = kinds.get(digest);
    if (!kind) return [];
    const end = match.index + match[0].length - 1;
    return [{ start: end - digest.length, end, place: placeOf(kind, digest, { store, name }) }];
  });
}

type Kind = "manifest" | "config" | "layer" | { file: string };

function placeOf(kind: Kind, digest: string, at: { store: string; name: string }): Place {
  if (kind === "manifest") return { ...at, kind, reference: digest };
  if (kind === "layer") return { ...at, kind: "contents", digest };
  return { ...at, kind: "blob", digest, file: kind === "config" ? "config.json" : kind.file };
}

/** The text may be any JSON at all: a store holds what others have written. */
function kindsIn(text: string): Map<string, Kind> {
  const kinds = new Map<string, Kind>();
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return kinds;
  }
  const { manifests, subject, config, layers } = Object(document) as Record<string, unknown>;
  const add = (descriptors: unknown, kindOf: (annotations: Record<string, unknown>) => Kind) => {
    for (const descriptor of Array.isArray(descriptors) ? (descriptors as unknown[]) : []) {
      const { digest, annotations } = Object(descriptor) as { digest?: unknown; annotations?: unknown };
      if (typeof digest === "string") kinds.set(digest, kindOf(Object(annotations) as Record<string, unknown>));
    }
  };
  add(layers, (annotations) => {
    const file = titleIn(annotations);
    return file === undefined ? "layer" : { file };
  });
  add([config], () => "config");
  add([...(Array.isArray(manifests) ? (manifests as unknown[]) : []), subject], () => "manifest");
  return kinds;
}
