import { createHash } from "node:crypto";

import { DigestError } from "./errors.js";

const HEXADECIMAL: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

export function digestOf(content: Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** The algorithm of a digest. Throws a `DigestError` for what is none. */
export function algorithmOf(digest: string): string {
  const [, algorithm = "", hexadecimal = ""] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(digest) ?? [];
  if (HEXADECIMAL[algorithm] !== hexadecimal.length) {
    throw new DigestError(`${JSON.stringify(digest)} is not a sha256 or sha512 digest`);
  }
  return algorithm;
}

/** Throws a `DigestError` unless `content` has this digest. */
export function verify(content: Uint8Array, digest: string): void {
  const found = createHash(algorithmOf(digest)).update(content).digest("hex");
  if (!digest.endsWith(`:${found}`)) throw new DigestError(`the content of ${digest} has the digest ${found}`);
}

/** Passes content on, and fails at its end, or before, unless it has this digest and this size. */
export function verifying(digest: string, size?: number): TransformStream<Uint8Array, Uint8Array> {
  const running = createHash(algorithmOf(digest));
  let total = 0;
  return new TransformStream({
    transform(chunk, controller) {
      total += chunk.length;
      if (size !== undefined && total > size) {
        throw new DigestError(`the content of ${digest} has more than ${size} bytes`);
      }
      running.update(chunk);
      controller.enqueue(chunk);
    },
    flush() {
      if (size !== undefined && total < size) {
        throw new DigestError(`the content of ${digest} has ${total} bytes instead of ${size}`);
      }
      const found = running.digest("hex");
      if (!digest.endsWith(`:${found}`)) throw new DigestError(`the content of ${digest} has the digest ${found}`);
    },
  });
}
