import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

import { PluginNotFoundError } from "../errors.js";

export const HINT = "install it from a checkout (pip install /path/to/udist), or set UDIST_PLUGIN to its command";

/** What to spawn, and whether that is this library's own choice. */
export interface Command {
  readonly words: readonly [string, ...string[]];
  readonly own: boolean;
}

/** UDIST_PLUGIN, split as a shell does; else udist-plugin on PATH; else python3 -P -m udist_plugin. */
export function defaultCommand(env: NodeJS.ProcessEnv = process.env): Command {
  const [program, ...rest] = splitCommand(env.UDIST_PLUGIN ?? "");
  if (program !== undefined) return { words: [program, ...rest], own: false };
  const plugin = onPath("udist-plugin", env);
  if (plugin) return { words: [plugin], own: true };
  const python = onPath("python3", env);
  if (python) return { words: [python, "-P", "-m", "udist_plugin"], own: true };
  throw new PluginNotFoundError(`neither udist-plugin nor python3 was found on PATH; ${HINT}`);
}

const WORD = /(?:[^\s"'\\]|\\[^]|'[^']*'|"(?:[^"\\]|\\[^])*")+/y;
const PART = /\\([^])|'([^']*)'|"((?:[^"\\]|\\[^])*)"/g;

/** Splits text into words as a POSIX shell does, with quotes and backslashes, but expands nothing. */
export function splitCommand(text: string): string[] {
  const words: string[] = [];
  let position = 0;
  for (;;) {
    position += /^\s*/.exec(text.slice(position))?.[0].length ?? 0;
    if (position >= text.length) return words;
    WORD.lastIndex = position;
    const word = WORD.exec(text)?.[0];
    if (word === undefined) {
      throw new PluginNotFoundError(`UDIST_PLUGIN (${text}) has an unclosed quote, or a backslash at its end`);
    }
    position += word.length;
    words.push(word.replace(PART, unquoted));
  }
}

function unquoted(_: string, escaped?: string, single?: string, double?: string): string {
  if (escaped !== undefined) return escaped === "\n" ? "" : escaped;
  return single ?? (double ?? "").replace(/\\(["\\$`])|\\\n/g, "$1");
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const endings = process.platform === "win32" ? (env.PATHEXT ?? ".EXE").split(";") : [""];
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    for (const ending of endings) {
      const path = join(folder || ".", name + ending);
      if (isProgram(path)) return path;
    }
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
