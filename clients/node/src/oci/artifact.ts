import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { lstat, mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, isAbsolute, join, normalize, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";

import { ArtifactError } from "./errors.js";
import type { Registry } from "./registry.js";
import { isIndex, MANIFEST } from "./types.js";
import type { Descriptor, PulledManifest } from "./types.js";

// The form of an artifact (image-spec, manifest.md, "Guidelines for Artifact Usage"; oras' file store): an image
// manifest with the empty configuration, whose layers are files by `org.opencontainers.image.title`.

const TITLE = "org.opencontainers.image.title";
const UNPACK = "io.deis.oras.content.unpack";
const LAYER = "application/vnd.oci.image.layer.v1.tar";
const UNKNOWN = "application/vnd.unknown.artifact.v1";
const PIECE = 1 << 20;
const EMPTY_CONTENT = "{}";
const EMPTY: Descriptor = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  size: EMPTY_CONTENT.length,
  data: "e30=",
};

/** A file to push: where it is, its name in the artifact, and its layer's media type. */
export interface SourceFile {
  readonly path: string;
  readonly title?: string;
  readonly mediaType?: string;
}

export interface PushOptions {
  /** Without a tag, the artifact can be pulled only by its digest. */
  readonly tag?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The manifest that the artifact refers to. */
  readonly subject?: Descriptor;
}

/**
 * Pushes files as one artifact, with the same manifest that `udist push` makes. Blobs that the repository already has
 * are not sent. Rejects with an `ArtifactError` for anything but regular files, and with the errors of `registry`.
 */
export async function pushArtifact(
  registry: Registry,
  name: string,
  files: readonly (string | SourceFile)[],
  options: PushOptions = {},
): Promise<Descriptor> {
  const sources = files.map(sourceOf);
  const titles = new Set(sources.map(({ title }) => title));
  if (titles.size < sources.length) throw new ArtifactError("two files have the same name in the artifact");
  const layers: Descriptor[] = [];
  for (const source of sources) layers.push(await pushFile(registry, name, source));
  if (!(await registry.hasBlob(name, EMPTY.digest))) await registry.pushBlob(name, EMPTY.digest, EMPTY_CONTENT);
  return registry.pushManifest(name, manifestOf(layers, options), { tag: options.tag });
}

/** A file that was pulled, and the descriptor of its layer. */
export interface PulledFile {
  readonly path: string;
  readonly descriptor: Descriptor;
}

/**
 * Writes the files of an artifact into `folder`. A file appears there once it is complete and verified, and none is
 * written outside the folder. Rejects with an `ArtifactError` for files that cannot be written, and for packed folders,
 * which `udist pull` unpacks.
 */
export async function pullArtifact(
  registry: Registry,
  name: string,
  reference: string,
  folder: string,
): Promise<{ manifest: PulledManifest; files: PulledFile[] }> {
  const pulled = await registry.getManifest(name, reference);
  const { manifest } = pulled;
  if (isIndex(manifest)) {
    throw new ArtifactError(`${name}: ${reference} is an index, not an artifact; pull one of its manifests`);
  }
  const named = manifest.layers.filter(({ annotations }) => annotations?.[TITLE]);
  const places = named.map((layer) => partsOf(layer));
  if (new Set(places.map((parts) => parts.join("/"))).size < places.length) {
    throw new ArtifactError("two layers have the same name");
  }
  const files: PulledFile[] = [];
  for (const [i, descriptor] of named.entries()) {
    const path = await makeParents(folder, places[i] ?? []);
    await place(await registry.openBlob(name, descriptor), path);
    files.push({ path, descriptor });
  }
  return { manifest: pulled, files };
}

/** A path goes by its own words as long as it stays inside the working folder, else by its last name. */
function sourceOf(file: string | SourceFile): Required<SourceFile> {
  const { path, title, mediaType = LAYER } = typeof file === "string" ? { path: file } : file;
  const words = normalize(path);
  const outside = isAbsolute(words) || words === "." || words.split(sep)[0] === "..";
  return { path, mediaType, title: title ?? (outside ? basename(resolve(path)) : words).replaceAll(sep, "/") };
}

async function pushFile(registry: Registry, name: string, source: Required<SourceFile>): Promise<Descriptor> {
  const { path, title, mediaType } = source;
  const status = await stat(path);
  if (!status.isFile()) throw new ArtifactError(`${path} is not a file; to push a folder, use udist push`);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: PIECE }), hash);
  const digest = `sha256:${hash.digest("hex")}`;
  if (!(await registry.hasBlob(name, digest))) {
    const content = createReadStream(path, { highWaterMark: PIECE });
    try {
      await registry.pushBlob(name, digest, content, status.size);
    } finally {
      content.destroy(); // whatever fetch did with a body that was refused half-way
    }
  }
  return { mediaType, digest, size: status.size, annotations: { [TITLE]: title } };
}

/** The keys stand in the order in which udist and oras write them: the same files make the same digest. */
function manifestOf(layers: readonly Descriptor[], options: PushOptions): Buffer {
  const { artifactType = UNKNOWN, annotations = {}, subject } = options;
  const head = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    artifactType,
    config: EMPTY,
    layers: layers.length > 0 ? layers : [EMPTY],
    ...(subject && { subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size } }),
  });
  if (Object.keys(annotations).length === 0) return Buffer.from(head);
  return Buffer.from(`${head.slice(0, -1)},"annotations":${sortedText(annotations)}}`);
}

/** A map as JSON, its keys by code points. As an object it would have keys that are integers first. */
function sortedText(map: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(map).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
}

/** The parts of a layer's name: a relative path that stays where it is put. */
function partsOf({ annotations }: Descriptor): string[] {
  const title = annotations?.[TITLE] ?? "";
  if (annotations?.[UNPACK] === "true") {
    throw new ArtifactError(`${JSON.stringify(title)} is a packed folder; to unpack it, use udist pull`);
  }
  const parts = title.split("/").filter((part) => part !== "" && part !== ".");
  const forbidden = process.platform === "win32" ? /[\0\\:*?"<>|]/ : /\0/;
  if (title.startsWith("/") || parts.includes("..") || parts.length === 0 || forbidden.test(title)) {
    throw new ArtifactError(`${JSON.stringify(title)} is not a relative path inside the output folder`);
  }
  return parts;
}

/** Makes the folders that a file lies in, none of which may be a link, and returns its path, where no folder is. */
async function makeParents(folder: string, parts: readonly string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  let path = folder;
  for (const part of parts.slice(0, -1)) {
    path = join(path, part);
    await mkdir(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
    if (!(await isFolder(path))) {
      throw new ArtifactError(`${path} is a file or a symbolic link, but a folder is needed there; move it away`);
    }
  }
  path = join(path, parts.at(-1) ?? "");
  if (await isFolder(path)) throw new ArtifactError(`${path} is a folder, but a file is needed there; move it away`);
  return path;
}

/** Whether a folder, not a link to one, is there. */
async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Writes content beside `path`, and puts it there once all of it was verified. */
async function place(content: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const temporary = join(path, "..", `.udist-${randomBytes(8).toString("hex")}`);
  try {
    await pipeline(content, createWriteStream(temporary, { flags: "wx" }));
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
