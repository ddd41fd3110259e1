/** The stable codes of errors. */
export type UdistErrorCode =
  | "UDIST_ERR_NOT_FOUND"
  | "UDIST_ERR_HANDSHAKE"
  | "UDIST_ERR_VERSION"
  | "UDIST_ERR_CONFIGURATION"
  | "UDIST_ERR_STDOUT_TEXT"
  | "UDIST_ERR_PROTOCOL"
  | "UDIST_ERR_DIED"
  | "UDIST_ERR_RESET"
  | "UDIST_ERR_GOING_AWAY"
  | "UDIST_ERR_SLOT_TIMEOUT"
  | "UDIST_ERR_CLOSED"
  | "UDIST_ERR_BODY"
  | "UDIST_ERR_REQUEST"
  | "UDIST_ERR_REDIRECT"
  | "UDIST_ERR_HTTP"
  | "UDIST_ERR_DIGEST"
  | "UDIST_ERR_ARTIFACT";

export interface ErrorDetails extends ErrorOptions {
  retryable?: boolean | undefined;
  exitCode?: number | null | undefined;
  signal?: NodeJS.Signals | null | undefined;
  stderr?: string | undefined;
}

/**
 * A failure below HTTP: of a plugin's start, or of one exchange. Answers of HTTP, of whatever status, are no errors
 * of `fetch`, and what an `AbortSignal` ends rejects with the signal's reason.
 */
export class UdistError extends Error {
  /**
   * Whether the request can be repeated without doing anything twice, and may then go better: it never reached the
   * application, or the plugin has died and the method is idempotent (RFC 9110, section 9.2.2). A body must be there
   * again, and a plugin that has died must be spawned anew.
   */
  readonly retryable: boolean;
  /** What the plugin's process ended with; null if it has not ended, or by a signal. */
  readonly exitCode: number | null;
  /** The signal that ended the plugin's process, if one did. */
  readonly signal: NodeJS.Signals | null;
  /** The last lines of the plugin's standard error. */
  readonly stderr: string;

  constructor(
    readonly code: UdistErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    const { retryable = false, exitCode = null, signal = null, stderr = "", ...options } = details;
    super(stderr && !message.includes(stderr) ? `${message}; its standard error ends with:\n${stderr}` : message, options);
    this.name = new.target.name;
    this.retryable = retryable;
    this.exitCode = exitCode;
    this.signal = signal;
    this.stderr = stderr;
  }
}

/** The class of the errors of one code. */
function coded(code: UdistErrorCode): new (message: string, details?: ErrorDetails) => UdistError {
  return class extends UdistError {
    constructor(message: string, details?: ErrorDetails) {
      super(code, message, details);
    }
  };
}

/** There is no plugin to spawn. */
export class PluginNotFoundError extends coded("UDIST_ERR_NOT_FOUND") {}

/** What was spawned did not get ready: it is no plugin, or too slow. */
export class HandshakeError extends coded("UDIST_ERR_HANDSHAKE") {}

/** The plugin speaks no version of the protocol that this library speaks: one of the two is too old. */
export class VersionError extends coded("UDIST_ERR_VERSION") {}

/** The plugin refused its configuration, or could not use the store that it names. */
export class ConfigurationError extends coded("UDIST_ERR_CONFIGURATION") {}

/** The plugin's standard output carried text where frames should be; the message shows it. */
export class StdoutTextError extends coded("UDIST_ERR_STDOUT_TEXT") {}

/** The plugin broke the protocol. */
export class ProtocolError extends coded("UDIST_ERR_PROTOCOL") {}

/** The plugin has ended, or reads and writes no more. */
export class PluginDiedError extends coded("UDIST_ERR_DIED") {}

/** The plugin gave up one exchange, or broke the rules of one. `status` is the name of a gRPC status code. */
export class ResetError extends UdistError {
  constructor(
    readonly status: string,
    message: string,
    details?: ErrorDetails,
  ) {
    super("UDIST_ERR_RESET", message, details);
  }
}

/** The plugin takes no more requests. */
export class GoingAwayError extends coded("UDIST_ERR_GOING_AWAY") {}

/**
 * The request was not sent: every slot of the plugin was taken, by responses that nobody reads among others. Read the
 * body of every response to its end, or cancel it.
 */
export class SlotTimeoutError extends coded("UDIST_ERR_SLOT_TIMEOUT") {}

/** The plugin was closed by `close` or `destroy`. */
export class ClosedError extends coded("UDIST_ERR_CLOSED") {}

/** The request's body failed, or has another length than its content-length; `cause` is what it failed with. */
export class BodyError extends coded("UDIST_ERR_BODY") {}

/** A request that cannot be sent: its head may not travel. */
export class RequestError extends coded("UDIST_ERR_REQUEST") {}

/** A redirect that is not followed, or one to the registry's store where the content could not be had. */
export class RedirectError extends coded("UDIST_ERR_REDIRECT") {}
