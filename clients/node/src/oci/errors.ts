import { UdistError } from "../errors.js";

/** What a registry says of a failure (distribution-spec, "Error Codes"). */
export interface RegistryErrorEntry {
  readonly code: string;
  readonly message?: string;
  readonly detail?: unknown;
}

/** The registry answered with a failure, or with what the distribution-spec does not have there. */
export class RegistryError extends UdistError {
  constructor(
    message: string,
    /** Of HTTP. */
    readonly status: number,
    readonly errors: readonly RegistryErrorEntry[],
    options: ErrorOptions = {},
  ) {
    super("UDIST_ERR_HTTP", message, { ...options, retryable: status === 429 || status === 503 });
  }
}

/** Content that is not what its digest or size says. */
export class DigestError extends UdistError {
  constructor(message: string) {
    super("UDIST_ERR_DIGEST", message);
  }
}

/** An artifact whose files cannot be placed, or files that make no artifact. */
export class ArtifactError extends UdistError {
  constructor(message: string) {
    super("UDIST_ERR_ARTIFACT", message);
  }
}
