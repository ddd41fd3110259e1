import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

import { PluginNotFoundError } from "../errors.js";
import { packagedPlugin } from "./packaged.js";

export const HINT = "install it from a checkout (pip install /path/to/udist), or set UDIST_PLUGIN to its command";

/** What to spawn, whether that is this library's own choice, and what is wrong with a better choice. */
export interface Command {
  readonly words: readonly [string, ...string[]];
  readonly own: boolean;
  readonly note?: string;
}

/**
 * UDIST_PLUGIN, split as a shell does; else the plugin in the package for this platform; else udist-plugin on PATH; else
 * python3 -P -m udist_plugin.
 */
export function defaultCommand(env: NodeJS.ProcessEnv = process.env): Command {
  const [program, ...rest] = splitCommand(env.UDIST_PLUGIN ?? "");
  if (program !== undefined) return { words: [program, ...rest], own: false };
  const packaged = packagedPlugin();
  if (packaged.path !== undefined && isProgram(packaged.path)) return { words: [packaged.path], own: true };
  const missing = packaged.path === undefined ? packaged.missing : `${packaged.path} is not an executable file`;
  const words = installed(env);
  if (!words) {
    const reason = "neither udist-plugin nor python3 was found on PATH";
    throw new PluginNotFoundError(`${missing ? `${missing}, and ` : ""}${reason}; ${HINT}`);
  }
  return { words, own: true, ...(missing && { note: `${missing}; using ${words.join(" ")}, found on PATH` }) };
}

function installed(env: NodeJS.ProcessEnv): Command["words"] | undefined {
  const plugin = onPath("udist-plugin", env);
  if (plugin) return [plugin];
  const python = onPath("python3", env);
  return python ? [python, "-P", "-m", "udist_plugin"] : undefined;
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
