import { LOOK_AHEAD, MAX_CONTROL, MAX_DATA, MAX_FRAME, PREFIX_SIZE } from "./constants.js";
import { ConnectionFault } from "./errors.js";

/** The head of a canonical data frame: `size` bytes of prefix and head, then `length` of payload. */
export interface DataHead {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly length: number;
  readonly size: number;
}

/** The length that the five bytes of prefix at `at` announce, judged before anything is buffered. */
export function frameLength(bytes: Uint8Array, at: number): number {
  checkFirstByte(bytes, at);
  const length = numberAt(bytes, at + 1);
  if (length > MAX_FRAME) {
    throw new ConnectionFault("frame-length", `a frame of ${length} bytes exceeds the limit of ${MAX_FRAME}`);
  }
  return length;
}

/** Text on the wire is seen at its first byte. */
export function checkFirstByte(bytes: Uint8Array, at: number): void {
  const first = bytes[at];
  if (first !== 0) {
    const text = new Uint8Array(bytes.subarray(at, at + 1024));
    throw new ConnectionFault("first-byte", "a frame must begin with byte 0", text);
  }
}

/** Judges the length of a frame that is not canonical data. */
export function checkControlLength(length: number): void {
  if (length > MAX_CONTROL) {
    throw new ConnectionFault(
      "frame-length",
      `a frame of ${length} bytes that is not canonical data exceeds the limit of ${MAX_CONTROL}`,
    );
  }
}

/**
 * The head of a canonical data frame (section 1, "Data frames") at `at`, where the frame's first `LOOK_AHEAD`
 * bytes stand, or all of it. Undefined for any other frame, which the codec reads whole.
 */
export function parseDataHead(bytes: Uint8Array, at: number): DataHead | undefined {
  const total = numberAt(bytes, at + 1);
  const start = at + PREFIX_SIZE;
  const end = Math.min(at + LOOK_AHEAD, start + total);
  if (start >= end || bytes[start] !== 0x08) return undefined;
  const id = shortestVarint(bytes, start + 1, end);
  if (!id?.value) return undefined;
  let position = id.behind;
  const endStream = position + 1 < end && bytes[position] === 0x10 && bytes[position + 1] === 0x01;
  if (endStream) position += 2;
  if (position >= end || bytes[position] !== 0x7a) return undefined;
  const length = shortestVarint(bytes, position + 1, end);
  if (!length || length.behind - start + length.value !== total) return undefined;
  if (length.value > MAX_DATA) {
    throw new ConnectionFault(
      "payload-length",
      `a payload of ${length.value} bytes exceeds the limit of ${MAX_DATA}`,
    );
  }
  return { streamId: id.value, endStream, length: length.value, size: length.behind - at };
}

/** The head of a canonical data frame, to be followed by `length` bytes of payload. */
export function dataHead(streamId: number, length: number, endStream: boolean): Uint8Array {
  const head = new Uint8Array(LOOK_AHEAD);
  let position = PREFIX_SIZE;
  head[position++] = 0x08;
  position = putVarint(head, position, streamId);
  if (endStream) {
    head[position++] = 0x10;
    head[position++] = 0x01;
  }
  head[position++] = 0x7a;
  position = putVarint(head, position, length);
  putLength(head, position - PREFIX_SIZE + length);
  return head.subarray(0, position);
}

/** Writes a frame's prefix to the first five bytes. */
export function putLength(bytes: Uint8Array, length: number): void {
  bytes[1] = length >>> 24;
  bytes[2] = length >>> 16;
  bytes[3] = length >>> 8;
  bytes[4] = length;
}

function numberAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return a * 2 ** 24 + (b << 16) + (c << 8) + d;
}

/** The number of at most 32 bits at `at`, unless there is none, or not in its shortest form. */
function shortestVarint(
  bytes: Uint8Array,
  at: number,
  end: number,
): { value: number; behind: number } | undefined {
  let value = 0;
  for (let i = 0; i < 5 && at + i < end; i++) {
    const byte = bytes[at + i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte & 0x80) continue;
    if (value >= 2 ** 32 || (byte === 0 && i > 0)) return undefined;
    return { value, behind: at + i + 1 };
  }
  return undefined;
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  while (value > 0x7f) {
    bytes[at++] = (value & 0x7f) | 0x80;
    value = Math.floor(value / 128);
  }
  bytes[at++] = value;
  return at;
}
