import type { ReadStream } from "node:fs";
import { Readable } from "node:stream";

import { request } from "undici";

import type { Plugin } from "../../src/index.js";
import { PluginDispatcher } from "../../src/undici.js";

/** A request as any face takes it. `target` is a path and a query. */
export interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers: [string, string][];
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | ReadStream | null;
  readonly signal: AbortSignal;
}

/** A response. Its trailers are there once its content has ended. */
export interface Answer {
  readonly status: number;
  readonly fields: Iterable<[string, string]>;
  readonly content: AsyncIterator<Uint8Array>;
  readonly trailers: () => Iterable<[string, string]>;
}

export type Face = (plugin: Plugin, sent: Sent) => Promise<Answer>;

/** What this package has for HTTP. */
export const FACES: Readonly<Record<string, Face>> = { fetch: byFetch, undici: byUndici };

async function byFetch(plugin: Plugin, { target, ...sent }: Sent): Promise<Answer> {
  const body = sent.body as Exclude<Sent["body"], ReadStream>; // which fetch takes, too
  const response = await plugin.fetch(target, { ...sent, body, duplex: "half", redirect: "manual" });
  const content = (response.body ?? new Blob([]).stream())[Symbol.asyncIterator]();
  return { status: response.status, fields: response.headers, content, trailers: () => [] };
}

async function byUndici(plugin: Plugin, { target, method, headers, body, signal }: Sent): Promise<Answer> {
  const response = await request(`http://localhost${target}`, {
    dispatcher: new PluginDispatcher(plugin),
    method: method,
    headers: headers.flat(),
    body: body instanceof ReadableStream ? Readable.fromWeb(body) : body,
    signal,
  });
  return {
    status: response.statusCode,
    fields: pairsOf(response.headers),
    content: response.body[Symbol.asyncIterator](),
    trailers: () => pairsOf(response.trailers),
  };
}

function pairsOf(fields: Readonly<Record<string, string | string[] | undefined>>): [string, string][] {
  return Object.entries(fields).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name, value]),
  );
}
