import type { ReadableByteStreamController } from "node:stream/web";

/** Has a response be one from `url`, as no constructor lets one say. A response's URL has no fragment. */
export function located(response: Response, url: string): Response {
  const [value] = url.split("#", 1);
  const type = { value: "basic", enumerable: true };
  return Object.defineProperties(response, { url: { value, enumerable: true }, type });
}

/** Ends a body, also for a reader that waits with a buffer of its own. */
export function finish(controller: ReadableByteStreamController): void {
  controller.close();
  controller.byobRequest?.respond(0);
}
