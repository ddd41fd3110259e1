import { RedirectError } from "./errors.js";
import type { Asked, Sent } from "./request.js";

// Fetch, section 4.4, "HTTP-redirect fetch", as Node has it.

/** Redirect statuses (Fetch, section 2.2.3). */
const STATUSES = new Set([301, 302, 303, 307, 308]);
const HOPS = 20;
/** What says something of a body (Fetch, section 2.2.4, "request-body-header name"). */
const ABOUT_THE_BODY = ["content-encoding", "content-language", "content-location", "content-type", "content-length"];
const CREDENTIALS = ["authorization", "proxy-authorization", "cookie"];

export function isRedirect({ status }: Response): boolean {
  return STATUSES.has(status);
}

/** Goes on from the redirect that a request was answered with, or refuses to, as its `redirect` says. */
export async function follow(
  { request, body }: Sent,
  response: Response,
  send: (sent: Sent) => Promise<Response>,
): Promise<Response> {
  for (let hops = 0; isRedirect(response); hops++) {
    const location = response.headers.get("location");
    if (location === null && request.redirect === "follow") break;
    await response.body?.cancel();
    if (request.redirect === "error") throw refused("unexpected redirect", request, response);
    if (hops === HOPS) throw refused("redirect count exceeded", request, response);
    ({ request, body } = next(request, body, targetOf(location ?? "", request, response), response));
    response = Object.defineProperty(await send({ request, body }), "redirected", { value: true, enumerable: true });
  }
  return response;
}

function targetOf(location: string, request: Asked, response: Response): URL {
  const decoded = Buffer.from(location, "latin1").toString("utf8");
  if (!URL.canParse(decoded, request.url)) throw refused("the Location is not a URL", request, response);
  const url = new URL(decoded, request.url);
  if (!/^https?:$/.test(url.protocol)) throw refused("URL scheme must be a HTTP(S) scheme", request, response);
  if (url.username || url.password) throw refused("the Location contains credentials", request, response);
  return url;
}

/** The request that goes to `url`: credentials stay with their origin, and some statuses make a GET of it. */
function next(request: Asked, body: Sent["body"], url: URL, response: Response): Sent {
  const headers = new Headers(request.headers);
  if (url.origin !== new URL(request.url).origin) drop(headers, CREDENTIALS);
  if (becomesGet(request, response)) {
    drop(headers, ABOUT_THE_BODY);
    return { request: new Request(url, { headers }), body: null };
  }
  if (request.body && !isReplayable(body)) throw refused("the body cannot be sent again", request, response);
  if (body instanceof FormData) headers.delete("content-type"); // it will have another boundary
  return { request: new Request(url, { method: request.method, headers, body: body ?? null }), body };
}

function becomesGet({ method }: Asked, { status }: Response): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

/** Whether a body can be sent again: none that is read only once. */
function isReplayable(body: Sent["body"]): boolean {
  return body !== null && body !== undefined && !(Symbol.asyncIterator in Object(body));
}

function drop(headers: Headers, names: readonly string[]): void {
  for (const name of names) headers.delete(name);
}

/** The platform's network error. A location may be a key to what is there, and is not shown. */
function refused(why: string, { method, url }: Asked, { status }: Response): TypeError {
  const cause = new RedirectError(`${why}: ${method} ${new URL(url).pathname} was answered with ${status}`);
  return new TypeError("fetch failed", { cause });
}
