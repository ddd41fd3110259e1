import { ReadableStream } from "node:stream/web";
import type { ReadableByteStreamController, UnderlyingByteSource } from "node:stream/web";

import { RedirectError } from "./errors.js";
import { isRedirect } from "./redirects.js";
import type { Asked } from "./request.js";
import { finish, located } from "./response.js";
import { IMPLEMENTATION } from "./version.js";

// Content that the registry leaves to its store (PROTOCOL.md, section 3, "Redirects").

/** The platform's, whatever stands in its place later: a plugin's would not reach the store. */
const network = globalThis.fetch;

/** How many redirects are followed for one request, the plugin's among them. */
const HOPS = 5;
/** What of a request the store is told. Credentials are for the registry alone. */
const ASKED = ["range", "if-range", "user-agent"];
/** What of the store's answer is handed back. */
const GIVEN = [
  "accept-ranges",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "last-modified",
];
const CONTENT = new Set([200, 206, 304, 416]);

/** Where the store has the content that was asked for; undefined if the plugin's answer is the answer. */
export function locationOf({ method, url }: Asked, response: Response): URL | undefined {
  if (response.status !== 307 || !["GET", "HEAD"].includes(method) || !url.includes("/blobs/")) return undefined;
  return fetchable(response.headers.get("location") ?? "");
}

/** Gets from the store what the plugin has redirected `request` to, as if the plugin had answered so itself. */
export async function fromStore(
  request: Asked,
  redirect: Response,
  at: URL,
  signal: AbortSignal | undefined,
): Promise<Response> {
  await redirect.body?.cancel();
  const store = new Store(at, signal);
  const answer = await store.ask(request);
  const headers = new Headers(redirect.headers);
  for (const name of ["location", ...GIVEN]) headers.delete(name);
  for (const name of GIVEN) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const { status, statusText, body } = answer;
  return located(new Response(body && store.content(body), { status, statusText, headers }), request.url);
}

/** Where content is asked for, and then read. Its waits are bounded by the platform's own timeouts, and the signal. */
class Store {
  constructor(
    private at: URL,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Asks at one place after the other, and returns the answer that is none of where else to ask. */
  async ask(request: Asked): Promise<Response> {
    const headers = new Headers({ "accept-encoding": "identity", "user-agent": IMPLEMENTATION });
    for (const name of ASKED) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    const init: RequestInit = { method: request.method, headers, redirect: "manual", signal: this.signal ?? null };
    for (let hops = 0; hops < HOPS; hops++) {
      const answer = await this.#asking(network(this.at, init));
      if (CONTENT.has(answer.status)) return answer;
      await answer.body?.cancel().catch(() => undefined); // whatever becomes of it
      if (!isRedirect(answer)) throw this.#failed(`it answered ${answer.status}`);
      const next = fetchable(answer.headers.get("location") ?? "", this.at);
      if (!next || (this.at.protocol === "https:" && next.protocol !== "https:")) {
        throw this.#failed(`it answered ${answer.status} without a usable Location`);
      }
      this.at = next;
    }
    throw this.#failed(`more than ${HOPS} redirects`);
  }

  /** The content as it comes; what fails of it is told as what has become of the store. */
  content(body: NonNullable<Response["body"]>): ReadableStream<Uint8Array> {
    const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const source: UnderlyingByteSource = {
      type: "bytes",
      pull: async (controller: ReadableByteStreamController) => {
        const { done, value } = await this.#asking(reader.read());
        if (done) finish(controller);
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    };
    return new ReadableStream(source, { highWaterMark: 0 });
  }

  async #asking<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    if (this.signal?.aborted) return this.signal.reason;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return this.#failed(cause instanceof Error ? cause.message : String(cause), error);
  }

  /** A URL's query may be a key to the store, so that it is never shown. */
  #failed(why: string, cause?: unknown): RedirectError {
    const { protocol, host } = this.at;
    const message =
      `the registry redirected to ${protocol}//${host}, where the content could not be fetched: ${why}; ` +
      "without followRedirects, the plugin sends the content itself";
    return new RedirectError(message, { retryable: true, cause });
  }
}

/** A location that can be asked: by HTTP, and without credentials, which `fetch` refuses. */
function fetchable(location: string, base?: URL): URL | undefined {
  if (location === "" || !URL.canParse(location, base?.href)) return undefined;
  const url = new URL(location, base);
  return /^https?:$/.test(url.protocol) && !url.username && !url.password ? url : undefined;
}
