import type { Answer } from "./answer.js";
import { algorithmOf, digestOf, verify } from "./digest.js";
import { manifestIn } from "./parsing.js";
import type { Content, Transport } from "./transport.js";
import { DOCKER_LIST, DOCKER_MANIFEST, INDEX, MANIFEST } from "./types.js";
import type { Descriptor, PulledManifest } from "./types.js";

/** What a manifest may measure, as distribution has it. */
const MANIFEST_MAX = 4 << 20;
const ACCEPT = { accept: [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(", ") };

/** Manifests by a tag or a digest. */
export class Manifests {
  constructor(private readonly transport: Transport) {}

  async get(name: string, reference: string): Promise<PulledManifest> {
    const answer = await this.transport.ask("GET", pathOf(name, reference), { headers: ACCEPT });
    const content = await answer.content(MANIFEST_MAX);
    const digest = digestIn(answer, reference) ?? digestOf(content);
    verify(content, digest);
    const manifest = answer.parse(content, manifestIn);
    const mediaType = manifest.mediaType ?? answer.header("content-type") ?? MANIFEST;
    return { descriptor: { mediaType, digest, size: content.length }, content, manifest };
  }

  async resolve(name: string, reference: string): Promise<Descriptor> {
    const answer = await this.transport.ask("HEAD", pathOf(name, reference), { headers: ACCEPT });
    const digest = digestIn(answer, reference);
    const size = answer.header("content-length");
    if (digest === null || size === null) return (await this.get(name, reference)).descriptor;
    algorithmOf(digest);
    return { mediaType: answer.header("content-type") ?? MANIFEST, digest, size: Number(size) };
  }

  /** Returns whether the registry lists the manifest among the referrers of its subject, if it has one. */
  async push(name: string, reference: string, content: Uint8Array, mediaType: string): Promise<boolean> {
    const request = { headers: { "content-type": mediaType }, body: content as Content };
    const answer = await this.transport.send("PUT", pathOf(name, reference), request);
    return answer.header("oci-subject") !== null;
  }

  async delete(name: string, reference: string): Promise<void> {
    await this.transport.send("DELETE", pathOf(name, reference));
  }
}

function pathOf(name: string, reference: string): string {
  return `/v2/${name}/manifests/${reference}`;
}

/** The digest that an answer must have; null if neither the reference nor the registry tells one. */
function digestIn(answer: Answer, reference: string): string | null {
  return reference.includes(":") ? reference : answer.header("docker-content-digest");
}
