/** The codes of errors. They do not change from one version to the next. */
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
 * The base of this package's errors: the plugin did not start, or a request failed below HTTP. An HTTP response is not
 * an error, whatever its status, and an aborted request rejects with the reason of its signal.
 */
export class UdistError extends Error {
  /**
   * Whether it is safe to repeat the request, which may then succeed: it never reached the registry, or the plugin died
   * and the method is idempotent (RFC 9110, section 9.2.2). A stream must be supplied again as the body, and a plugin
   * that died must be spawned again.
   */
  readonly retryable: boolean;
  /** The exit code of the plugin's process; null if it is still running, or was ended by a signal. */
  readonly exitCode: number | null;
  /** The signal that ended the plugin's process; null if none did. */
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

/** No plugin was found, or it could not be started. */
export class PluginNotFoundError extends coded("UDIST_ERR_NOT_FOUND") {}

/** The spawned process did not become ready: it is not a plugin, or it took too long. */
export class HandshakeError extends coded("UDIST_ERR_HANDSHAKE") {}

/** The plugin and this library have no protocol version in common; update the older one. */
export class VersionError extends coded("UDIST_ERR_VERSION") {}

/** The plugin rejected its configuration, or could not use the storage that it names. */
export class ConfigurationError extends coded("UDIST_ERR_CONFIGURATION") {}

/** The plugin printed text to standard output, where only frames belong; the message quotes the text. */
export class StdoutTextError extends coded("UDIST_ERR_STDOUT_TEXT") {}

/** The plugin violated the protocol. */
export class ProtocolError extends coded("UDIST_ERR_PROTOCOL") {}

/** The plugin ended, or stopped reading or writing. */
export class PluginDiedError extends coded("UDIST_ERR_DIED") {}

/** One request was reset, by the plugin or for what the plugin sent. `status` is the name of a gRPC status code. */
export class ResetError extends UdistError {
  constructor(
    readonly status: string,
    message: string,
    details?: ErrorDetails,
  ) {
    super("UDIST_ERR_RESET", message, details);
  }
}

/** The plugin accepts no more requests. */
export class GoingAwayError extends coded("UDIST_ERR_GOING_AWAY") {}

/**
 * The request was not sent, because responses that are not being read occupy the plugin's slots. Read every response to
 * its end, or cancel its body.
 */
export class SlotTimeoutError extends coded("UDIST_ERR_SLOT_TIMEOUT") {}

/** The plugin was closed by `close` or `destroy`. */
export class ClosedError extends coded("UDIST_ERR_CLOSED") {}

/** The request's body failed, or its length is not its content-length; `cause` is the body's own error. */
export class BodyError extends coded("UDIST_ERR_BODY") {}

/** The request cannot be sent, because its method, URL, headers or options are not valid here. */
export class RequestError extends coded("UDIST_ERR_REQUEST") {}

/** A redirect was not followed, or the content could not be fetched from the store that it leads to. */
export class RedirectError extends coded("UDIST_ERR_REDIRECT") {}
