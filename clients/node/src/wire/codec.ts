import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";

import { MAX_CONTROL, PREFIX_SIZE } from "./constants.js";
import { ConnectionFault, LocalFault } from "./errors.js";
import { putLength } from "./framing.js";
import { Code, FrameSchema } from "./generated/frame_pb.js";
import type { Frame, Settings } from "./generated/frame_pb.js";

export type FrameInit = MessageInitShape<typeof FrameSchema>;

/** A frame's bytes, prefix and message. */
export function encode(init: FrameInit): Uint8Array {
  const frame = create(FrameSchema, init);
  if (frame.body.case === "settings") sortVariables(frame.body.value);
  const message = toBinary(FrameSchema, frame, { writeUnknownFields: false });
  if (message.length > MAX_CONTROL) {
    throw new LocalFault(`a frame of ${message.length} bytes exceeds the limit of ${MAX_CONTROL}`);
  }
  const bytes = new Uint8Array(PREFIX_SIZE + message.length);
  putLength(bytes, message.length);
  bytes.set(message, PREFIX_SIZE);
  return bytes;
}

/** The meaning of a frame's message, by the protobuf library's rules. */
export function decode(message: Uint8Array): Frame {
  let frame: Frame;
  try {
    frame = fromBinary(FrameSchema, message, { readUnknownFields: false });
  } catch (error) {
    throw new ConnectionFault("not-a-frame", `${message.length} bytes that are not a Frame: ${String(error)}`);
  }
  const body = frame.body;
  if (body.case === undefined) {
    throw new ConnectionFault("no-body", "a frame without a body known to version 1");
  }
  if ((body.case === "reset" || body.case === "goAway") && !(body.value.code in Code)) {
    body.value.code = Code.UNKNOWN;
  }
  return frame;
}

/** The library writes a map as it stands, the vectors want the order of its keys. */
function sortVariables({ environment }: Settings): void {
  if (!environment) return;
  const entries = Object.entries(environment.variables).sort(([a], [b]) => (a < b ? -1 : 1));
  environment.variables = Object.fromEntries(entries);
}
