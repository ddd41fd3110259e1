// Packs this package together with one package for each platform, which has the plugin for it:
//
//   node packaging/pack.js FOLDER linux-x64=path/to/udist linux-arm64=...
//
// The tarballs go into FOLDER. The package udist-plugin in it names the others as optional dependencies, of which npm
// installs the one for the platform it runs on. A plain `npm pack` names none.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { inspect } from "./program.js";

const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
const MANIFEST = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));

/** Packs the package in `folder` and returns the name of the tarball. */
function pack(folder, destination) {
  const words = ["pack", "--silent", "--ignore-scripts", "--pack-destination", destination];
  return execFileSync("npm", words, { cwd: folder, encoding: "utf8" }).trim();
}

/** Writes the package for a platform into `folder` and returns its name. */
function writePlatform(folder, platform, program) {
  const [os, cpu] = platform.split("-");
  const name = `${MANIFEST.name}-${platform}`;
  const manifest = {
    name,
    version: MANIFEST.version,
    description: `The plugin of ${MANIFEST.name} for ${platform}`,
    license: MANIFEST.license,
    os: [os],
    cpu: [cpu],
    ...(os === "linux" && { libc: ["glibc"] }),
    files: ["bin"],
    preferUnplugged: true, // a program in an archive cannot be started
  };
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, undefined, 2));
  writeFileSync(join(folder, "README.md"), `${manifest.description}. Install ${MANIFEST.name}, which depends on it.\n`);
  copyFileSync(join(HERE, "LICENSE"), join(folder, "LICENSE"));
  copyFileSync(program, join(folder, "bin", "udist-plugin"));
  chmodSync(join(folder, "bin", "udist-plugin"), 0o755);
  return name;
}

/** Writes this package into `folder`, with optional dependencies. */
function writeMain(folder, names) {
  mkdirSync(folder);
  for (const part of [...MANIFEST.files, "LICENSE"]) cpSync(join(HERE, part), join(folder, part), { recursive: true });
  const optionalDependencies = Object.fromEntries(names.map((name) => [name, MANIFEST.version]));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...MANIFEST, optionalDependencies }, undefined, 2));
}

function main(destination, ...programs) {
  if (destination === undefined || programs.length === 0) {
    throw new Error("usage: node packaging/pack.js FOLDER PLATFORM=FILE...");
  }
  mkdirSync(destination, { recursive: true });
  const staging = mkdtempSync(join(tmpdir(), "udist-pack-"));
  try {
    const platforms = programs.map((each) => {
      const [platform, ...path] = each.split("=");
      inspect(path.join("="), platform, MANIFEST.version);
      return writePlatform(join(staging, platform), platform, path.join("="));
    });
    writeMain(join(staging, "main"), platforms);
    const folders = [...programs.map((each) => each.split("=")[0]), "main"];
    for (const folder of folders) console.log(pack(join(staging, folder), destination));
  } finally {
    rmSync(staging, { recursive: true });
  }
}

try {
  main(...process.argv.slice(2));
} catch (error) {
  console.error(`pack: ${error.message}`);
  process.exitCode = 1;
}
