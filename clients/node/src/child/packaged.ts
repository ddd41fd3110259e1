import { optionalDependencies, resolve } from "#resolve";

const PREFIX = "udist-plugin-";

/** The path of the plugin, or else what is missing; undefined if this package names no other that has a plugin. */
export type Packaged =
  | { readonly path: string }
  | { readonly path?: undefined; readonly missing: string | undefined };

/**
 * The plugin that npm has installed with this package. A release names a package with the plugin for each platform as
 * an optional dependency; npm installs the one for the platform that it runs on.
 */
export function packagedPlugin(platform = `${process.platform}-${process.arch}`): Packaged {
  const name = PREFIX + platform;
  try {
    return { path: resolve(`${name}/bin/udist-plugin`) };
  } catch {
    return { missing: missing(name, platform) };
  }
}

function missing(name: string, platform: string): string | undefined {
  const packages = names().filter((each) => each.startsWith(PREFIX));
  if (packages.length === 0) return undefined;
  if (!packages.includes(name)) return `there is no package with a plugin for ${platform}`;
  return `the package ${name} is not installed (does npm omit optional dependencies?)`;
}

/** None in a program that a bundler has made of this package. */
function names(): string[] {
  try {
    return Object.keys(optionalDependencies());
  } catch {
    return [];
  }
}
