/** The level of a line of the plugin's log, as text or as JSON; it comes before anything that a client sent. */
const LEVEL = /(?: level=|"level":")([a-z]+)/;
const SHOWN = new Set(["warning", "error", "fatal"]);

/** Shows a line of the plugin's standard error if it is a warning or an error of its log. */
export function showWarning(line: string): void {
  const [, level = ""] = LEVEL.exec(line) ?? [];
  if (SHOWN.has(level)) console.warn(`udist-plugin: ${line}`);
}
