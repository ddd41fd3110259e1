import { Readable } from "node:stream";
import { ReadableStream as NodeStream } from "node:stream/web";

import { Answer } from "./answer.js";
import { nextIn } from "./links.js";
import type { Form } from "./parsing.js";

/** How many pages of one list are followed. */
const PAGES_MAX = 100_000;

/** Any body that `fetch` accepts, in the types of the platform or of Node. */
export type Content = NonNullable<RequestInit["body"]> | NodeStream<Uint8Array>;

/** A stream that can be iterated over, as in Node; TypeScript's "dom" library lacks this. */
export type ByteStream = ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>;

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  /** A status that is no failure, beside those of success. */
  readonly also?: number;
  readonly body?: Content;
}

/** Requests to one registry, over any `fetch`. */
export class Transport {
  readonly #base: URL;

  constructor(
    private readonly fetch: typeof globalThis.fetch,
    url: string | URL,
    private readonly headers: Readonly<Record<string, string>>,
  ) {
    this.#base = new URL(url);
    if (!this.#base.pathname.endsWith("/")) this.#base.pathname += "/"; // what is relative to it comes behind it
  }

  /** An answer of success, or of the status `also`. A `path` is one below the registry's URL. */
  async ask(method: string, path: string | URL, { headers, also, body }: Asking = {}): Promise<Answer> {
    const url = typeof path === "string" ? new URL(path.replace(/^\/+/, ""), this.#base) : path;
    const own = url.origin === this.#base.origin ? this.headers : {};
    const streams = Symbol.asyncIterator in Object(body) && ({ duplex: "half" } as const);
    const content = body !== undefined && { body: body as NonNullable<RequestInit["body"]> };
    const response = await this.fetch(url, { method, headers: { ...own, ...headers }, ...content, ...streams });
    const answer = new Answer(method, url, response);
    if (response.ok || response.status === also) return answer;
    throw await answer.failure();
  }

  /** As `ask`, for an answer whose content is not wanted. */
  async send(...request: Parameters<Transport["ask"]>): Promise<Answer> {
    const answer = await this.ask(...request);
    await answer.discard();
    return answer;
  }

  /** The pages of a list, of which `first` is the first. */
  async *pages<T>(first: Answer, form: Form<T>): AsyncGenerator<T, void> {
    const seen = new Set<string>();
    for (let answer = first; ; ) {
      seen.add(answer.url.href);
      yield answer.parse(await answer.content(), form);
      const reference = nextIn(answer.header("link") ?? "");
      if (reference === undefined) return;
      const next = answer.target("Link", reference);
      if (seen.has(next.href)) throw answer.refused("a Link to a page that came before");
      if (seen.size === PAGES_MAX) throw answer.refused(`a Link beyond page ${PAGES_MAX}`);
      answer = await this.ask("GET", next);
    }
  }
}

/** Gives up a body that nobody reads: what is behind it may be open. */
export async function discard(body: Content): Promise<void> {
  if (body instanceof Readable) body.destroy();
  if (body instanceof NodeStream && !body.locked) await body.cancel().catch(() => undefined);
}
