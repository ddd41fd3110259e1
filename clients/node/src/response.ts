import type { ReadableByteStreamController } from "node:stream/web";

import type { Exchange } from "./link/exchange.js";
import type { Field } from "./wire/generated/frame_pb.js";

const exchanges = new WeakMap<Response, Exchange>();

/** Keeps what `trailersOf` needs. */
export function remember(response: Response, exchange: Exchange): Response {
  exchanges.set(response, exchange);
  return response;
}

/** The trailers of a response whose content has been read to its end: a `Response` has no place for them. */
export function trailersOf(response: Response): [name: string, value: string][] {
  return (exchanges.get(response)?.trailers ?? []).map(textOf);
}

/** A field's name and value; each character of the value is a byte. */
export function textOf({ name, value }: Field): [name: string, value: string] {
  return [name, Buffer.from(value).toString("latin1")];
}

/** Has a response, and its clones, be from `url`, as no constructor lets one say. There it has no fragment. */
export function located(response: Response, url: string, redirected = false): Response {
  const [value] = url.split("#", 1);
  return Object.defineProperties(response, {
    url: { value, enumerable: true },
    type: { value: "basic", enumerable: true },
    redirected: { value: redirected, enumerable: true, configurable: true },
    clone: { value: () => located(Response.prototype.clone.call(response), url, response.redirected) },
  });
}

/** Ends a body, also for a reader that waits with a buffer of its own. */
export function finish(controller: ReadableByteStreamController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}
