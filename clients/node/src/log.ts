/** The level of a line of the plugin's log, as text or as JSON; it comes before anything that a client sent. */
const LEVEL = /(?: level=|"level":")([a-z]+)/;
const SHOWN = new Set(["warning", "error", "fatal"]);
/** What the log escapes, as text or as JSON. */
const ESCAPES = /(?:\\u[0-9a-f]{4})+|\\x[0-9a-f]{2}|\\["\\/bfnrt]/g;
/** How much of a warning is compared with a line of the log, which may be truncated. */
const COMPARED = 1000;

/**
 * Passes on what a plugin reports: the lines of its standard error, and the warnings in its settings. Its log repeats
 * these warnings if the log's level allows; such lines are dropped.
 */
export class Log {
  #warned: readonly string[] = []; // what the log has not repeated yet

  constructor(private readonly receive: ((line: string) => void) | undefined) {}

  /** Passes on a line of standard error. Without a receiver, only warnings and errors of the log are shown. */
  line(text: string): void {
    const level = levelOf(text);
    const repeated = level === "warning" ? this.#warned.findIndex((warning) => contains(text, warning)) : -1;
    if (repeated >= 0) this.#warned = this.#warned.toSpliced(repeated, 1);
    else if (this.receive) this.receive(text);
    else if (SHOWN.has(level)) console.warn(`udist-plugin: ${text}`);
  }

  /** Passes on the warnings in the plugin's settings, except those in `tail`, the lines that were read before them. */
  warn(warnings: readonly string[], tail: string): void {
    this.#warned = warnings.filter((warning) => !contains(tail, warning));
    // The log escapes control characters itself.
    for (const warning of this.#warned) this.#tell(`udist-plugin: ${warning.replace(/\p{Cc}/gu, "\uFFFD")}`);
  }

  /** Passes on a warning of this library's own. */
  note(text: string): void {
    this.#tell(`udist: ${text}`);
  }

  #tell(text: string): void {
    (this.receive ?? console.warn)(text);
  }
}

function levelOf(line: string): string {
  return LEVEL.exec(line)?.[1] ?? "";
}

function contains(line: string, warning: string): boolean {
  const unescaped = line.replace(ESCAPES, (escape) => JSON.parse(`"${escape.replace("\\x", "\\u00")}"`) as string);
  return unescaped.includes(warning.slice(0, COMPARED));
}
