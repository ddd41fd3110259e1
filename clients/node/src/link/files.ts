import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import type { BigIntStats } from "node:fs";

import type { File, Settings } from "../wire/generated/frame_pb.js";
import { FileUnusable } from "./errors.js";

/** The capability (section 3, "Files"). */
export const FILES = "files";

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY;
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** The files that the plugin has open (Linux). */
export class PeerFiles {
  /** `process` is a descriptor of the process's folder in /proc: it stays its own if the id is used again. */
  private constructor(private readonly process: number) {}

  /** Undefined if the plugin, whose process has this id, shares none. */
  static of(plugin: Settings | undefined, pid: number): PeerFiles | undefined {
    if (!plugin?.capabilities.includes(FILES) || plugin.processId !== pid) return undefined;
    try {
      const folder = openSync(`/proc/${pid}`, FOLDER);
      if (fstatSync(folder).uid === process.geteuid?.()) return new PeerFiles(folder);
      closeSync(folder);
    } catch {
      // then nothing is shared
    }
    return undefined;
  }

  /** A descriptor of this process's own for a file. Throws `FileUnusable` if there is none, or it is another file. */
  open(told: File): number {
    const path = `/proc/self/fd/${this.process}/fd/${told.fd}`;
    let descriptor: number | undefined;
    try {
      check(statSync(path, { bigint: true }), told); // opening a device may have effects
      descriptor = openSync(path, READ);
      check(fstatSync(descriptor, { bigint: true }), told);
      return descriptor;
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw error instanceof FileUnusable ? error : new FileUnusable(String(error));
    }
  }

  close(): void {
    closeSync(this.process);
  }
}

function check(status: BigIntStats, { fd, offset, length, device, inode, size }: File): void {
  if (!status.isFile()) throw new FileUnusable(`descriptor ${fd} is not a regular file`);
  if (status.dev !== device || status.ino !== inode || status.size !== size) {
    throw new FileUnusable(`descriptor ${fd} is another file`);
  }
  if (offset + length > size) throw new FileUnusable(`the file has ${size} bytes, but not ${length} at ${offset}`);
}
