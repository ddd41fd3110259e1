// The golden vectors of tests/vectors (its README.md tells their notation).

import { readFileSync } from "node:fs";

import { create } from "@bufbuild/protobuf";

import { Code, FrameSchema } from "../src/wire/generated/frame_pb.js";
import type { Frame } from "../src/wire/generated/frame_pb.js";
import type { FrameInit } from "../src/wire/codec.js";

export type Piece = string | { repeat: string; times: number };

export interface JsonFrame {
  stream_id?: number;
  end_stream?: boolean;
  data?: Piece[];
  [body: string]: unknown;
}

const VECTORS = new URL("../../../../tests/vectors/", import.meta.url); // from build/test

export function load<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(name, VECTORS), "utf8")) as T[];
}

export function bytesOf(pieces: readonly Piece[]): Uint8Array {
  return Buffer.concat(
    pieces.map((piece) => {
      const { repeat, times } = typeof piece === "string" ? { repeat: piece, times: 1 } : piece;
      const unit = Buffer.from(repeat, "hex");
      return Buffer.alloc(unit.length * times, unit);
    }),
  );
}

export function frameOf(json: JsonFrame): Frame {
  const { stream_id: streamId = 0, end_stream: endStream = false, data, ...bodies } = json;
  if (data) return create(FrameSchema, { streamId, endStream, body: { case: "data", value: bytesOf(data) } });
  const [name = "", body] = Object.entries(bodies)[0] ?? [];
  const value = message(body as Record<string, unknown>);
  const init = { streamId, endStream, body: { case: camel(name), value } };
  return create(FrameSchema, init as FrameInit);
}

function message(json: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(json).map(([key, value]) => {
    if (key === "fields" || key === "trailers") return [key, (value as [string, string][]).map(field)];
    if (key === "code") return [key, codeOf(value as string)];
    if (key === "environment") return [key, { variables: value }];
    if (key === "file") return [key, fileOf(value as Record<string, string | number>)];
    return [camel(key), value];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** A file's numbers of 64 bits are text in JSON. */
function fileOf(json: Record<string, string | number>): Record<string, bigint | number> {
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, typeof value === "string" ? BigInt(value) : value]),
  );
}

function field([name, value]: [string, string]): { name: string; value: Uint8Array } {
  return { name, value: Buffer.from(value, "latin1") };
}

export function codeOf(name: string): Code {
  return name === "OK" ? Code.OK_UNSPECIFIED : Code[name as keyof typeof Code];
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
