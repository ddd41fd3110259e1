import { isAbsolute, join } from "node:path";

/** A store of the setting `udist.stores`: what its plugin is spawned with. */
export interface StoreSettings {
  readonly name: string;
  /** Reads the configuration, which may be in a file. Throws a `SettingError` if it cannot. */
  readonly config: () => string | object;
  readonly command: readonly string[] | undefined;
}

/** A setting that cannot be used; the message names it. */
export class SettingError extends Error {
  override readonly name = "SettingError";
}

const KINDS = ["folder", "file", "config"] as const;
type Entry = Partial<Record<(typeof KINDS)[number] | "name", unknown>>;

/**
 * The stores of the setting. Relative paths start at `base`; `read` gives the text of a file. Throws a `SettingError`
 * that names the entry that is wrong.
 */
export function storesIn(
  entries: unknown,
  { base, command, read }: { base: string | undefined; command: readonly string[]; read: (path: string) => string },
): StoreSettings[] {
  if (!Array.isArray(entries)) throw new SettingError("udist.stores must be a list of stores");
  const stores = entries.map((entry: unknown, i) => {
    const where = `udist.stores[${i}]`;
    if (typeof entry !== "object" || entry === null) throw new SettingError(`${where} must be an object with a name`);
    const { name } = entry as Entry;
    if (typeof name !== "string" || !/^[^/\\?#]+$/.test(name)) {
      throw new SettingError(`${where}.name must be a text without / \\ ? and #`);
    }
    const config = configOf(entry, where, { base, read });
    return { name, config, command: command.length > 0 ? command : undefined };
  });
  const twice = stores.find(({ name }, i) => stores.findIndex((store) => store.name === name) < i);
  if (twice) throw new SettingError(`udist.stores names two stores ${twice.name}; rename one`);
  return stores;
}

function configOf(
  entry: Entry,
  where: string,
  { base, read }: { base: string | undefined; read: (path: string) => string },
): () => string | object {
  const [kind, ...more] = KINDS.filter((key) => entry[key] !== undefined);
  if (!kind || more.length > 0) throw new SettingError(`${where} must have one of folder, file and config`);
  const value = entry[kind];
  if (kind === "config") {
    if (typeof value === "object" && value !== null) return () => value;
    throw new SettingError(`${where}.config must be an object`);
  }
  if (typeof value !== "string" || value === "") throw new SettingError(`${where}.${kind} must be a path`);
  const path = placeOf(value, base, `${where}.${kind}`);
  if (kind === "folder") return () => ({ version: "0.1", storage: { filesystem: { rootdirectory: path } } });
  return () => {
    try {
      return read(path);
    } catch (error) {
      throw new SettingError(`${where}.file cannot be read: ${(error as Error).message}`);
    }
  };
}

function placeOf(path: string, base: string | undefined, where: string): string {
  if (isAbsolute(path)) return path;
  if (base !== undefined) return join(base, path);
  throw new SettingError(`${where} is the relative path ${path}, but no folder is open; use an absolute path`);
}
