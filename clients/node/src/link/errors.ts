import type { Code } from "../wire/generated/frame_pb.js";

/** The plugin refused to start. */
export class Refusal extends Error {
  constructor(
    readonly code: Code,
    message: string,
  ) {
    super(message);
  }
}

/** The plugin, or this side for what it did, has reset an exchange. */
export class ExchangeReset extends Error {
  constructor(
    readonly code: Code,
    message: string,
    readonly unprocessed: boolean,
  ) {
    super(message);
  }
}

/** No stream can be opened any more, though the link stands. */
export class NoMoreStreams extends Error {}

/** No slot came free for a request, because responses are not being read. */
export class NoSlot extends Error {}

/** A file could not be shared: the same request without it can be sent. */
export class FileUnusable extends Error {}

/** The link was closed by this side. */
export class LinkClosed extends Error {}

/** A request that was not sent, and why. */
export class NotSent extends Error {
  constructor(override readonly cause: unknown) {
    super("the request was not sent");
  }
}
