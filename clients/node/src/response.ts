import type { ReadableByteStreamController } from "node:stream/web";

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
