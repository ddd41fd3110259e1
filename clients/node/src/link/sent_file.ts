import { fstatSync, ReadStream } from "node:fs";
import type { BigIntStats } from "node:fs";
import { once } from "node:events";

import type { RequestInit } from "../wire/heads.js";

/** Less content than this, in bytes, is sent as fast. */
const SMALLEST = 16 << 10;

/** Node's functions as one object, which streams have unless they are given others. */
const FS = process.getBuiltinModule("node:fs");

/** What a `ReadStream` has and its types do not name. */
interface Source {
  readonly fd: number | null;
  readonly start: number | undefined;
  readonly end: number;
}

/**
 * Describes the file that `body` is going to read, for the plugin to open. Undefined for any other body, for one that
 * has been read from, and for one of which `length` is not the length.
 */
export async function fileOf(body: unknown, length: number | undefined): Promise<RequestInit["file"]> {
  if (!(body instanceof ReadStream) || body.readableDidRead || body.readableEncoding !== null) return undefined;
  const opened = body as ReadStream & Source;
  if (opened.fd === null && !opened.destroyed) await once(body, "open").catch(() => undefined); // reading tells why
  const { fd, path, start } = opened;
  if (fd === null || body.destroyed) return undefined;
  const known = path ? functionsOf(body) === FS : start !== undefined; // else it reads on from where the descriptor is
  if (!known) return undefined;
  return described(fd, fstatSync(fd, { bigint: true }), opened, length);
}

/** What a stream opens and reads a path with: its user's own functions, if so told. Node has no public name for it. */
function functionsOf(stream: ReadStream): unknown {
  const name = Object.getOwnPropertySymbols(stream).find(({ description }) => description === "kFs");
  return name && (stream as unknown as Record<symbol, unknown>)[name];
}

function described(
  descriptor: number,
  status: BigIntStats,
  { start = 0, end }: Source,
  length: number | undefined,
): RequestInit["file"] {
  const size = Math.min(Number(status.size), end + 1) - start;
  if (!status.isFile() || size < SMALLEST || (length !== undefined && length !== size)) return undefined;
  const { dev: device, ino: inode } = status;
  return { fd: descriptor, offset: BigInt(start), length: BigInt(size), device, inode, size: status.size };
}
