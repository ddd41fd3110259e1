import { RegistryError } from "./errors.js";
import type { RegistryErrorEntry } from "./errors.js";
import { documentOf } from "./parsing.js";
import type { Form } from "./parsing.js";

/** The largest document accepted but for manifests, in bytes: a page of a list. */
const DOCUMENT_MAX = 32 << 20;
const FAILURE_MAX = 64 << 10;

/** A registry's response to one request. */
export class Answer {
  constructor(
    private readonly method: string,
    private readonly asked: URL,
    readonly response: Response,
  ) {}

  get status(): number {
    return this.response.status;
  }

  /** Where it is from, which not every `fetch` tells. */
  get url(): URL {
    return new URL(this.response.url || this.asked);
  }

  header(name: string): string | null {
    return this.response.headers.get(name);
  }

  async discard(): Promise<void> {
    await this.response.body?.cancel();
  }

  /** The whole body. */
  async content(limit = DOCUMENT_MAX): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let total = 0;
    for await (const piece of (this.response.body ?? []) as AsyncIterable<Uint8Array>) {
      total += piece.length;
      if (total > limit) throw this.refused(`a body of more than ${limit} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  /** What `content`, its body, says. */
  parse<T>(content: Uint8Array, form: Form<T>): T {
    try {
      return form(documentOf(content));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const what = `a body that the distribution-spec does not allow (${why}); check that the URL is a registry's`;
      throw this.refused(what, { cause: error });
    }
  }

  /** The URL that a field gives, relative to this answer's (RFC 9110, section 10.2.2). */
  target(field: string, reference: string | null): URL {
    if (reference === null) throw this.refused(`no ${field}`);
    const url = URL.canParse(reference, this.url.href) ? new URL(reference, this.url) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) throw this.refused(`a ${field} that is not an HTTP URL`);
    return url;
  }

  /** The error of an answer that the specification does not have. */
  refused(what: string, options?: ErrorOptions): RegistryError {
    return new RegistryError(`${this.#request}: ${this.status} with ${what}`, this.status, [], options);
  }

  /** The error of a status that is a failure. */
  async failure(): Promise<RegistryError> {
    const errors = errorsIn(await this.content(FAILURE_MAX).catch(() => new Uint8Array()));
    const told = errors.map(({ code, message }) => (message ? `${code}: ${message}` : code)).join("; ");
    const summary = `${this.#request}: ${this.status} ${told || this.response.statusText}`;
    return new RegistryError(summary, this.status, errors);
  }

  get #request(): string {
    return `${this.method} ${this.asked.pathname}`;
  }
}

/** The entries of an error's body; none where a proxy speaks, whose status says enough. */
function errorsIn(content: Uint8Array): RegistryErrorEntry[] {
  try {
    const { errors } = documentOf(content);
    return Array.isArray(errors) ? errors.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is RegistryErrorEntry {
  if (typeof value !== "object" || value === null) return false;
  const { code, message } = value as Partial<Record<string, unknown>>;
  return typeof code === "string" && (message === undefined || typeof message === "string");
}
