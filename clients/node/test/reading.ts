import { create } from "@bufbuild/protobuf";

import { FrameSchema } from "../src/wire/generated/frame_pb.js";
import type { Frame } from "../src/wire/generated/frame_pb.js";
import { FrameReader } from "../src/wire/reader.js";

/** A reader that gathers whole frames, whichever way their payload came. */
export function gathering(): { reader: FrameReader; frames: Frame[]; canonical: boolean[] } {
  const frames: Frame[] = [];
  const canonical: boolean[] = [];
  const reader = new FrameReader({
    frame(frame) {
      frames.push(frame);
      canonical.push(false);
    },
    dataHead({ streamId, endStream }) {
      const body = { case: "data" as const, value: new Uint8Array() };
      frames.push(create(FrameSchema, { streamId, endStream, body }));
      canonical.push(true);
    },
    payload(piece) {
      const body = frames.at(-1)?.body;
      if (body?.case === "data") body.value = Buffer.concat([body.value, piece]);
    },
  });
  return { reader, frames, canonical };
}

/** The one frame in `bytes`. */
export function readOne(bytes: Uint8Array): { frame: Frame; canonical: boolean } {
  const { reader, frames, canonical } = gathering();
  reader.read(bytes);
  reader.end();
  const [frame] = frames;
  if (!frame || frames.length > 1) throw new Error(`${frames.length} frames`);
  return { frame, canonical: canonical[0] ?? false };
}
