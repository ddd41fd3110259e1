import type { Plugin } from "../src/index.js";
import { PluginDispatcher } from "../src/undici.js";

/** A dispatcher over any `fetch` in a plugin's place. */
export function over(fetch: Plugin["fetch"]): PluginDispatcher {
  const send: Plugin["send"] = ({ request: { url, method, headers, body, redirect } }, signal) =>
    fetch(url, { method, headers, redirect, signal, ...(body && { body, duplex: "half" }) });
  return new PluginDispatcher({ send, followRedirects: false } as unknown as Plugin);
}
