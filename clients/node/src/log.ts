/** Where a line of the plugin's log tells its level, as text and as JSON: in front of all that a client may have said. */
const LEVEL = /(?: level=|"level":")([a-z]+)/;
const SHOWN = new Set(["warning", "error", "fatal"]);

/** Shows a line of the plugin's standard error if it is a warning or an error of its log. */
export function showWarning(line: string): void {
  const [, level = ""] = LEVEL.exec(line) ?? [];
  if (SHOWN.has(level)) console.warn(`udist-plugin: ${line}`);
}
