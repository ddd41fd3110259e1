import assert from "node:assert/strict";
import { test } from "node:test";

import { equals } from "@bufbuild/protobuf";
import fc from "fast-check";

import { encode } from "../src/wire/codec.js";
import { ConnectionFault } from "../src/wire/errors.js";
import { dataHead } from "../src/wire/framing.js";
import { FrameSchema } from "../src/wire/generated/frame_pb.js";
import type { Frame } from "../src/wire/generated/frame_pb.js";
import { gathering, readOne } from "./reading.js";
import { bytesOf, frameOf, load } from "./vectors.js";
import type { JsonFrame, Piece } from "./vectors.js";

const valid = load<{ name: string; bytes: Piece[]; frame: JsonFrame; canonical: boolean }>("frames.json");
const invalid = load<{ name: string; bytes: Piece[]; error: string; early: boolean }>("invalid.json");

test("every valid frame means what its vector says, and is written so", async (t) => {
  for (const vector of valid) {
    await t.test(vector.name, () => {
      const bytes = bytesOf(vector.bytes);
      const want = frameOf(vector.frame);
      const { frame, canonical } = readOne(bytes);
      assert.ok(equals(FrameSchema, frame, want));
      assert.equal(canonical, vector.canonical && want.body.case === "data");
      if (vector.canonical) assert.deepEqual(Buffer.from(written(want)), bytes);
    });
  }
});

test("what is no frame ends the connection by its name", async (t) => {
  for (const vector of invalid) {
    await t.test(vector.name, () => {
      const { reader } = gathering();
      assert.throws(
        () => {
          reader.read(bytesOf(vector.bytes));
          assert.equal(vector.early, false);
          reader.end();
        },
        (error) => error instanceof ConnectionFault && error.breach === vector.error,
      );
    });
  }
});

test("frames are the same however their bytes are split", () => {
  const all = valid.map(({ bytes }) => bytesOf(bytes)).filter((bytes) => bytes.length < 70_000);
  const some = fc.array(fc.integer({ min: 0, max: all.length - 1 }), { minLength: 1, maxLength: 6 });
  const cuts = fc.array(fc.nat(), { maxLength: 24 });
  fc.assert(
    fc.property(some, cuts, (indexes, places) => {
      const bytes = Buffer.concat(indexes.map((index) => all[index] ?? new Uint8Array()));
      const whole = gathering();
      whole.reader.read(bytes);
      const split = gathering();
      for (const piece of cut(bytes, places)) {
        const chunk = new Uint8Array(piece);
        split.reader.read(chunk);
        chunk.fill(0xff); // its memory is used again
      }
      split.reader.end();
      assert.deepEqual(split.canonical, whole.canonical);
      assert.ok(split.frames.every((frame, i) => same(frame, whole.frames[i])));
    }),
    { numRuns: 300 },
  );
});

test("any bytes in any pieces end the same way", () => {
  const tokens = fc.oneof(
    fc.constantFrom(...valid.concat(invalid as never).map(({ bytes }) => bytesOf(bytes).subarray(0, 300))),
    fc.uint8Array({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(fc.array(tokens, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 24 }), (parts, places) => {
      const bytes = Buffer.concat(parts);
      assert.equal(outcome([...cut(bytes, places)]), outcome([bytes]));
    }),
    { numRuns: 500 },
  );
});

function written(frame: Frame): Uint8Array {
  if (frame.body.case !== "data") return encode(frame);
  const payload = frame.body.value;
  return Buffer.concat([dataHead(frame.streamId, payload.length, frame.endStream), payload]);
}

function same(a: Frame, b: Frame | undefined): boolean {
  return b !== undefined && equals(FrameSchema, a, b);
}

function* cut(bytes: Uint8Array, places: readonly number[]): Iterable<Uint8Array> {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  let position = 0;
  for (const place of [...sorted, bytes.length]) {
    yield bytes.subarray(position, place);
    position = place;
  }
}

function outcome(chunks: readonly Uint8Array[]): string {
  const { reader, frames } = gathering();
  let end = "whole";
  try {
    for (const chunk of chunks) reader.read(chunk);
    reader.end();
  } catch (error) {
    if (!(error instanceof ConnectionFault)) throw error;
    end = error.breach;
  }
  return `${frames.length} ${end}`;
}
