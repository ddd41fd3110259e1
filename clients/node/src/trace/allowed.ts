/** What may be shown of text that can hold a secret. Everything else stands as its length in bytes. */

/** Fields that are shown with their values. The value of any other field may be a secret. */
const FIELDS = new Set([
  "accept",
  "accept-encoding",
  "accept-ranges",
  "allow",
  "cache-control",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "docker-content-digest",
  "docker-distribution-api-version",
  "docker-upload-uuid",
  "etag",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "location",
  "oci-chunk-min-length",
  "oci-filters-applied",
  "oci-subject",
  "oci-tag",
  "range",
  "retry-after",
  "vary",
]);
/** Parameters of a query that are shown with their values: the distribution-spec's. */
const PARAMETERS = new Set(["artifactType", "digest", "from", "last", "mount", "n", "tag"]);
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const PRINTABLE = /^[\x20-\x7e]*$/;

/** A field's value, or its length if it must not be shown. */
export function shownValue(name: string, value: Uint8Array): string | number {
  const text = Buffer.from(value).toString("latin1");
  if (!FIELDS.has(name) || !PRINTABLE.test(text)) return value.length;
  return name === "location" ? shownURL(text) : text;
}

/** A target or location without its login, its fragment, and the parameters that must not be shown. */
export function shownURL(url: string): string {
  const [rest, fragment] = cut(url, "#");
  const [path, query] = cut(rest, "?");
  let shown = withoutLogin(path);
  if (query !== undefined) shown += `?${query.split("&").map(shownParameter).join("&")}`;
  if (fragment !== undefined) shown += `#${leftOut(fragment)}`;
  return shown;
}

/** A message: of each word, without what stands before its last `@`, and after its first `?` behind that. */
export function shownMessage(message: string): string {
  return message.replace(/[^ \t\n]+/g, shownWord);
}

/** Bytes of `text` on the wire. */
export function lengthOf(text: string): number {
  return Buffer.byteLength(text);
}

function shownWord(word: string): string {
  const at = word.lastIndexOf("@");
  const [place, query] = cut(word.slice(at + 1), "?");
  const login = at > 0 ? leftOut(word.slice(0, at)) : "";
  return `${login}${at >= 0 ? "@" : ""}${place}${query === undefined ? "" : "?"}${query ? leftOut(query) : ""}`;
}

function withoutLogin(path: string): string {
  const [scheme, rest] = cut(path, "//");
  if (rest === undefined || scheme.includes("/")) return path;
  const at = cut(rest, "/")[0].lastIndexOf("@");
  return at < 0 ? path : `${scheme}//${leftOut(rest.slice(0, at))}${rest.slice(at)}`;
}

function shownParameter(parameter: string): string {
  const [name, value] = cut(parameter, "=");
  if (parameter === "" || (value !== undefined && PARAMETERS.has(name))) return parameter;
  if (value !== undefined && NAME.test(name) && /[^=]/.test(value)) return `${name}=${leftOut(value)}`;
  return leftOut(parameter);
}

/** What stands within a text for a part that is not shown. */
function leftOut(text: string): string {
  return `<${lengthOf(text)}>`;
}

/** What stands before and behind the first `separator`. */
function cut(text: string, separator: string): [string, string | undefined] {
  const place = text.indexOf(separator);
  return place < 0 ? [text, undefined] : [text.slice(0, place), text.slice(place + separator.length)];
}
