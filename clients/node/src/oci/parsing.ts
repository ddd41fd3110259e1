import type { Descriptor, ImageIndex, Manifest } from "./types.js";

// The forms of the documents of the image-spec and the distribution-spec, as far as the types promise them. Each
// check throws for what has another form, and says where.

type Members = Readonly<Record<string, unknown>>;
type Check = (value: unknown, where: string) => void;
/** Reads a document of one form. */
export type Form<T> = (document: Members) => T;

/** What any manifest may say of itself. */
export interface Outline {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

const LISTS = new Set(["layers", "manifests", "repositories", "tags"]);

/** A JSON object. What is null is absent or, as registries in Go write it, an empty list. */
export function documentOf(content: Uint8Array): Members {
  const text = Buffer.from(content).toString("utf8");
  return object(
    JSON.parse(text, (name, value: unknown) => value ?? (LISTS.has(name) ? [] : undefined)),
    "the document",
  );
}

const string: Check = (value, where) => {
  if (typeof value !== "string") throw expected("a string", where);
};
const size: Check = (value, where) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw expected("a size in bytes", where);
};
const two: Check = (value, where) => {
  if (value !== 2) throw expected("2", where);
};
const strings: Check = (value, where) => {
  for (const [name, item] of Object.entries(object(value, where))) string(item, `${where}.${name}`);
};
const descriptor: Check = members({
  mediaType: string,
  digest: string,
  size,
  artifactType: optional(string),
  annotations: optional(strings),
  data: optional(string),
});
const OUTLINE = {
  mediaType: optional(string),
  artifactType: optional(string),
  config: optional(descriptor),
  subject: optional(descriptor),
  annotations: optional(strings),
};
const IMAGE = { ...OUTLINE, schemaVersion: two, config: descriptor, layers: listOf(descriptor) };
const INDEX = { ...OUTLINE, manifests: listOf(descriptor) };

export const outlineIn: Form<Outline> = form(OUTLINE);
/** Also a page of referrers. */
export const indexIn: Form<ImageIndex> = form(INDEX);
export const manifestIn: Form<Manifest> = (document) =>
  form<Manifest>("manifests" in document ? { ...INDEX, schemaVersion: two } : IMAGE)(document);

/** A list of names, which is absent where it is empty. */
export function namesIn(key: string): Form<string[]> {
  const check = form<Record<string, string[] | undefined>>({ [key]: optional(listOf(string)) });
  return (document) => check(document)[key] ?? [];
}

function form<T>(checks: Readonly<Record<string, Check>>): Form<T> {
  return (document) => {
    for (const [name, check] of Object.entries(checks)) check(document[name], name);
    return document as T;
  };
}

function members(checks: Readonly<Record<string, Check>>): Check {
  return (value, where) => {
    const found = object(value, where);
    for (const [name, check] of Object.entries(checks)) check(found[name], `${where}.${name}`);
  };
}

function optional(check: Check): Check {
  return (value, where) => {
    if (value !== undefined) check(value, where);
  };
}

function listOf(check: Check): Check {
  return (value, where) => {
    if (!Array.isArray(value)) throw expected("a list", where);
    for (const [i, item] of value.entries()) check(item, `${where}[${i}]`);
  };
}

function object(value: unknown, where: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw expected("an object", where);
  return value as Members;
}

function expected(what: string, where: string): TypeError {
  return new TypeError(`${where}: expected ${what}`);
}
