import { isIndex } from "udist-plugin/oci";
import type { Descriptor, Manifest } from "udist-plugin/oci";

import { pathOf } from "./documents.js";
import type { Place } from "./documents.js";
import { titleOf } from "./layers.js";
import type { Store } from "./store.js";

/** What the view shows. `id` is unique in the tree, and the same after a refresh. */
export type Node = { readonly id: string } & (StoreNode | Placed | MoreNode | FailureNode);

interface StoreNode {
  readonly kind: "store";
  readonly store: Store;
}
interface MoreNode {
  readonly kind: "more";
  readonly parent: Node;
}
interface FailureNode {
  readonly kind: "failure";
  readonly message: string;
}
/** What is in a repository. */
type Placed = { readonly store: Store; readonly name: string } & (
  | { readonly kind: "repository" }
  | ManifestPart
  | { readonly kind: "referrers"; readonly digest: string }
  | { readonly kind: "config" | "layer"; readonly descriptor: Descriptor }
);
interface ManifestPart {
  readonly kind: "manifest";
  /** A tag or a digest. */
  readonly reference: string;
  readonly label: string;
  readonly descriptor?: Descriptor;
}
export type ManifestNode = Extract<Node, { kind: "manifest" }>;

const EMPTY = "application/vnd.oci.empty.v1+json";

/** What a node shows so far of its list. */
interface Shown {
  readonly nodes: Node[];
  readonly complete: boolean;
}

export interface TreeOptions {
  /** How many names a page has. */
  readonly pageSize: number;
  /** How long a store may take for a page, in milliseconds. */
  readonly timeout: number;
  /** Hears of an error of a store. The tree then has a node that tells of it. */
  failed(error: unknown, store: Store): string;
}

/** The tree of stores. It loads a page when it is asked for it, and keeps what was shown until a refresh. */
export class Tree {
  readonly #shown = new Map<string, Shown>();

  constructor(
    public stores: readonly Store[],
    private readonly options: TreeOptions,
  ) {}

  /** The nodes below one, or of the stores. Never rejects, and takes no longer than the timeout. */
  async children(node?: Node): Promise<Node[]> {
    if (!node) return this.stores.map((store) => ({ kind: "store", id: store.name, store }));
    if (node.kind === "more" || node.kind === "failure") return [];
    try {
      const shown = this.#shown.get(node.id) ?? (await this.#load(node));
      return shown.complete ? shown.nodes : [...shown.nodes, { kind: "more", id: `${node.id}\n+`, parent: node }];
    } catch (error) {
      const message = this.options.failed(error, node.store);
      return [{ kind: "failure", id: `${node.id}\n!`, message }];
    }
  }

  /** Loads one page more; `children` of the parent then has it. */
  async more({ parent }: Extract<Node, { kind: "more" }>): Promise<void> {
    if (!("store" in parent)) return;
    try {
      await this.#load(parent);
    } catch (error) {
      this.options.failed(error, parent.store);
    }
  }

  /** Forgets what was shown below a node, or everywhere. */
  forget(node?: Node): void {
    for (const id of this.#shown.keys()) {
      if (!node || id === node.id || id.startsWith(`${node.id}\n`)) this.#shown.delete(id);
    }
  }

  async #load(node: Exclude<Node, MoreNode | FailureNode>): Promise<Shown> {
    const known = this.#shown.get(node.id)?.nodes ?? [];
    const shown = await this.#next(node, known, AbortSignal.timeout(this.options.timeout));
    this.#shown.set(node.id, shown);
    return shown;
  }

  async #next(node: Exclude<Node, MoreNode | FailureNode>, known: Node[], signal: AbortSignal): Promise<Shown> {
    const registry = node.store.registry(signal);
    const { store, id } = node;
    const limit = this.options.pageSize;
    const last = known.at(-1);
    switch (node.kind) {
      case "store": {
        const options = { limit, last: last?.kind === "repository" ? last.name : undefined };
        const names = await taken(registry.listRepositories(options), limit);
        return page(names, limit, known, (name) => ({ kind: "repository", id: `${id}\n${name}`, store, name }));
      }
      case "repository": {
        const { name } = node;
        const options = { limit, last: last?.kind === "manifest" ? last.reference : undefined };
        const tags = await taken(registry.listTags(name, options), limit);
        const tagged = (tag: string): Node => manifestAt(node, `${id}\n${tag}`, { reference: tag, label: tag });
        return page(tags, limit, known, tagged);
      }
      case "manifest": {
        const { manifest, descriptor } = await registry.getManifest(node.name, node.reference);
        return { nodes: [...partsOf(node, manifest), referrersOf(node, descriptor.digest)], complete: true };
      }
      case "referrers": {
        // The API for referrers has no part by name: the list is read again, one page further.
        const wanted = known.length + limit;
        const referrers = await taken(registry.listReferrers(node.name, node.digest), wanted);
        const nodes = referrers.map((descriptor, i) => manifestOf(node, `${id}\n${i}`, descriptor));
        return { nodes, complete: nodes.length < wanted };
      }
      default:
        return { nodes: [], complete: true };
    }
  }
}

/** A full page may have another behind it, which may be empty. */
function page(names: readonly string[], limit: number, known: Node[], nodeOf: (name: string) => Node): Shown {
  return { nodes: [...known, ...names.map(nodeOf)], complete: names.length < limit };
}

async function taken<T>(items: AsyncIterable<T>, limit: number): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) if (found.push(item) === limit) break;
  return found;
}

type Within = Extract<Node, { name: string }>;

function manifestAt({ store, name }: Within, id: string, manifest: Omit<ManifestPart, "kind">): Node {
  return { kind: "manifest", id, store, name, ...manifest };
}

function manifestOf(parent: Within, id: string, descriptor: Descriptor): Node {
  const { digest, artifactType, annotations } = descriptor;
  const label = platformOf(descriptor) ?? annotations?.["vnd.docker.reference.type"] ?? artifactType ?? shortOf(digest);
  return manifestAt(parent, id, { reference: digest, label, descriptor });
}

function referrersOf({ id, store, name }: Within, digest: string): Node {
  return { kind: "referrers", id: `${id}\nreferrers`, store, name, digest };
}

function partsOf(parent: ManifestNode, manifest: Manifest): Node[] {
  const { id, store, name } = parent;
  if (isIndex(manifest)) return manifest.manifests.map((each, i) => manifestOf(parent, `${id}\n${i}`, each));
  const part = (kind: "config" | "layer", key: string, descriptor: Descriptor): Node => {
    return { kind, id: `${id}\n${key}`, store, name, descriptor };
  };
  const config = manifest.config.mediaType === EMPTY ? [] : [part("config", "config", manifest.config)];
  const layers = manifest.layers.filter(({ mediaType }) => mediaType !== EMPTY);
  return [...config, ...layers.map((layer, i) => part("layer", String(i), layer))];
}

/** `linux/arm64/v8`, say. What is for no platform is marked as unknown by docker. */
function platformOf(descriptor: Descriptor): string | undefined {
  const { os, architecture, variant } = Object((descriptor as { platform?: unknown }).platform) as Record<string, unknown>;
  const parts = [os, architecture, variant].filter((part) => typeof part === "string" && part !== "");
  return parts.length === 0 || os === "unknown" ? undefined : parts.join("/");
}

/** As docker shows a digest: the first twelve digits. */
export function shortOf(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}

/** The document of a node; undefined if it has none. */
export function documentOf(node: Node): string | undefined {
  const place = placeOf(node);
  return place && pathOf(place);
}

function placeOf(node: Node): Place | undefined {
  if (!("name" in node)) return undefined;
  const at = { store: node.store.name, name: node.name };
  if (node.kind === "manifest") return { ...at, kind: "manifest", reference: node.reference };
  if (node.kind === "config") return { ...at, kind: "blob", digest: node.descriptor.digest, file: "config.json" };
  if (node.kind !== "layer") return undefined;
  const file = titleOf(node.descriptor);
  const { digest } = node.descriptor;
  return file === undefined ? { ...at, kind: "contents", digest } : { ...at, kind: "blob", digest, file };
}
