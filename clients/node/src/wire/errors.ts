import type { Code } from "./generated/frame_pb.js";

/** A breach by the peer that ends the connection. `breach` is its name in PROTOCOL.md, section 8. */
export class ConnectionFault extends Error {
  constructor(
    readonly breach: string,
    message: string,
    /** What stood where a frame should begin, if it was no frame. */
    readonly text?: Uint8Array,
  ) {
    super(message);
  }
}

/** A breach by the peer that ends one stream; the connection sees to the reset that this owes. */
export class StreamFault extends Error {
  constructor(
    readonly streamId: number,
    readonly code: Code,
    message: string,
  ) {
    super(message);
  }
}

/** A breach of the protocol that this side was asked for, and did not commit. */
export class LocalFault extends Error {}
