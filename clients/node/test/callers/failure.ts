import { ResetError, UdistError } from "../../src/index.js";
import type { UdistErrorCode } from "../../src/index.js";
import { report } from "./lines.js";

/** The protocol's code for what a program can tell from an error. A `ResetError` has its own. */
const CODES: Readonly<Partial<Record<UdistErrorCode, string>>> = {
  UDIST_ERR_NOT_FOUND: "NOT_FOUND",
  UDIST_ERR_HANDSHAKE: "INTERNAL",
  UDIST_ERR_VERSION: "FAILED_PRECONDITION",
  UDIST_ERR_CONFIGURATION: "INVALID_ARGUMENT",
  UDIST_ERR_STDOUT_TEXT: "INTERNAL",
  UDIST_ERR_PROTOCOL: "INTERNAL",
  UDIST_ERR_DIED: "UNAVAILABLE",
  UDIST_ERR_GOING_AWAY: "UNAVAILABLE",
  UDIST_ERR_SLOT_TIMEOUT: "RESOURCE_EXHAUSTED",
  UDIST_ERR_CLOSED: "UNAVAILABLE",
  UDIST_ERR_BODY: "INVALID_ARGUMENT",
  UDIST_ERR_REQUEST: "INVALID_ARGUMENT",
};
const ABORTED: Readonly<Partial<Record<string, string>>> = {
  AbortError: "CANCELLED",
  TimeoutError: "DEADLINE_EXCEEDED",
};

/** Reports that the plugin could not be started. */
export function reportFailed(error: unknown): void {
  report("failed", codeOf(error), messageOf(error));
}

/** Reports that an exchange failed. */
export function reportError(id: string, error: unknown): void {
  const repeatable = error instanceof UdistError && error.retryable;
  report("error", id, codeOf(error), repeatable ? "yes" : "no", messageOf(error));
}

function codeOf(error: unknown): string {
  if (error instanceof ResetError) return error.status;
  if (error instanceof UdistError) return CODES[error.code] ?? "UNKNOWN";
  const name = error instanceof Error ? error.name : "";
  return ABORTED[name] ?? "UNKNOWN";
}

function messageOf(error: unknown): string {
  return Buffer.from(error instanceof Error ? error.message : String(error)).toString("latin1");
}
