import { UdistError } from "../errors.js";

/** One error in a registry's response (distribution-spec, "Error Codes"). */
export interface RegistryErrorEntry {
  readonly code: string;
  readonly message?: string;
  readonly detail?: unknown;
}

/** The registry answered with an error status, or with something that the distribution-spec does not allow. */
export class RegistryError extends UdistError {
  constructor(
    message: string,
    /** The HTTP status. */
    readonly status: number,
    readonly errors: readonly RegistryErrorEntry[],
    options: ErrorOptions = {},
  ) {
    super("UDIST_ERR_HTTP", message, { ...options, retryable: status === 429 || status === 503 });
  }
}

/** Content does not match its digest or size, or a digest is malformed. */
export class DigestError extends UdistError {
  constructor(message: string) {
    super("UDIST_ERR_DIGEST", message);
  }
}

/** The files of an artifact cannot be written, or the given files or content cannot be pushed. */
export class ArtifactError extends UdistError {
  constructor(message: string) {
    super("UDIST_ERR_ARTIFACT", message);
  }
}
