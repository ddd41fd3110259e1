import { PassThrough, pipeline, Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";

import { extract } from "tar-stream";
import type { Extract, Header } from "tar-stream";
import type { Descriptor } from "udist-plugin/oci";

const TITLE = "org.opencontainers.image.title";
const UNPACK = "io.deis.oras.content.unpack";
const ENTRIES_MAX = 20_000;
const GZIP = "1f8b";
const ZSTD = "28b52ffd";

/** An entry of a layer's archive. */
export interface LayerEntry {
  readonly path: string;
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  readonly mode: number;
  /** Where a link leads; null for what is none. */
  readonly target: string | null;
}

export interface Listing {
  readonly entries: readonly LayerEntry[];
  /** Whether the archive has more entries than are listed. */
  readonly truncated: boolean;
}

/** Content that is not shown; the message says why, and what to do. */
export class PreviewError extends Error {
  override readonly name = "PreviewError";
}

/** The name of the file that a layer is, if it is one file and no archive. */
export function titleOf({ annotations = {} }: Descriptor): string | undefined {
  return titleIn(annotations);
}

export function titleIn(annotations: Readonly<Record<string, unknown>>): string | undefined {
  const title = annotations[TITLE];
  return typeof title === "string" && annotations[UNPACK] !== "true" ? title : undefined;
}

/** What a layer's archive holds, without the files' content. */
export async function listingOf(content: AsyncIterable<Uint8Array>): Promise<Listing> {
  const entries: LayerEntry[] = [];
  for await (const entry of await unpacked(content)) {
    if (entries.length === ENTRIES_MAX) return { entries, truncated: true };
    entries.push(entryOf(entry.header));
    entry.resume();
  }
  return { entries, truncated: false };
}

/** The content of one file of a layer's archive, of at most `max` bytes. */
export async function fileIn(content: AsyncIterable<Uint8Array>, path: string, max: number): Promise<Uint8Array> {
  for await (const entry of await unpacked(content)) {
    const { type, path: found } = entryOf(entry.header);
    if (found === path && type === "file") return wholeOf(entry as AsyncIterable<Uint8Array>, max);
    entry.resume();
  }
  throw new PreviewError(`the layer has no file ${path}`);
}

/** Content in memory, if it is at most `max` bytes. */
export async function wholeOf(content: AsyncIterable<Uint8Array>, max: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of content) {
    size += piece.length;
    if (size > max) throw new PreviewError(`the file is larger than ${max >> 20} MiB, the limit of previews; pull it`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A listing as text, one line an entry. */
export function textOf({ entries, truncated }: Listing): string {
  const width = Math.max(1, ...entries.map(({ size }) => String(size).length));
  const lines = entries.map(({ path, type, size, mode, target }) => {
    const end = target ? ` -> ${target}` : "";
    return `${type.padEnd(9)} ${mode.toString(8).padStart(4, "0")} ${String(size).padStart(width)} ${path}${end}`;
  });
  return [...lines, ...(truncated ? [`… and more: only the first ${ENTRIES_MAX} entries are listed`] : []), ""].join("\n");
}

function entryOf({ name, type, size, mode, linkname }: Header): LayerEntry {
  const path = name.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
  return { path, type, size, mode: mode & 0o7777, target: linkname };
}

/** The archive, decompressed by what it begins with: media types are not always right. */
async function unpacked(content: AsyncIterable<Uint8Array>): Promise<Extract> {
  const pieces = content[Symbol.asyncIterator]();
  const first = await pieces.next();
  const head = Buffer.from(first.done ? [] : first.value.subarray(0, 4)).toString("hex");
  const whole = Readable.from(rejoined(first, pieces));
  const decompressor = head.startsWith(GZIP) ? createGunzip() : head === ZSTD ? createZstdDecompress() : new PassThrough();
  const archive = extract();
  pipeline(whole, decompressor, archive, () => undefined); // an error ends the archive with it
  return archive;
}

async function* rejoined(
  first: IteratorResult<Uint8Array>,
  pieces: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  try {
    for (let piece = first; !piece.done; piece = await pieces.next()) yield piece.value;
  } finally {
    await pieces.return?.();
  }
}
