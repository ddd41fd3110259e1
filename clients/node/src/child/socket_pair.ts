import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BUFFER_SIZE = 1 << 20;
/** Milliseconds for what takes less than one, unless the process has no descriptor left for the other end. */
const PATIENCE = 1000;

/** Two ends of a Unix socket: one to give to a child, one to read from. */
export interface SocketPair {
  readonly theirs: Socket;
  /** Each of its `data` events brings bytes that are good until the event is over. */
  readonly ours: Socket;
}

/**
 * Node reads a child's pipe 64 KiB at a time into memory that is new each time. A socket that it connects itself it
 * reads into one buffer (`onread` of `net.connect`), which is more than twice as fast. So this listens for a moment,
 * in a folder that nobody else may enter. Undefined where that can't be done.
 */
export async function socketPair(): Promise<SocketPair | undefined> {
  if (process.platform === "win32") return undefined;
  const server = createServer({ pauseOnConnect: true });
  let folder: string | undefined;
  let ours: Socket | undefined;
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    folder = mkdtempSync(join(tmpdir(), "udist-"));
    const path = join(folder, "s");
    await once(server.listen(path), "listening", { signal });
    const accepted = once(server, "connection", { signal }) as Promise<[Socket]>;
    ours = reading(path);
    const [[theirs]] = await Promise.all([accepted, once(ours, "connect", { signal })]);
    return { ours, theirs };
  } catch {
    ours?.destroy();
    return undefined;
  } finally {
    server.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function reading(path: string): Socket {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_SIZE);
  const callback = (length: number): boolean => {
    socket.emit("data", buffer.subarray(0, length));
    return true;
  };
  const socket = connect({ path, onread: { buffer, callback } });
  return socket;
}
