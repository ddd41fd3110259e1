// Constants of version 1 (PROTOCOL.md, section 1, "Limits"). Sizes are in bytes.

export const VERSION = 1;
/** One flag byte, always 0, and the frame's length, four bytes, big-endian. */
export const PREFIX_SIZE = 5;
/** The largest payload of a data frame. */
export const MAX_DATA = 1 << 20;
/** The largest frame that carries no canonical data, without its prefix. */
export const MAX_CONTROL = 64 << 10;
/** The largest frame of all, without its prefix: a payload and its head. */
export const MAX_FRAME = MAX_DATA + 32;
/** What either side may send on a new stream before the peer grants more. */
export const INITIAL_CREDIT = 256 << 10;

/** How much of that a stream has that is opened beside `INITIAL_STREAMS` others. */
export const SMALL_CREDIT = 16 << 10;

/**
 * The capability of a caller whose requests say how much credit their stream begins with, and of a plugin that heeds
 * it.
 */
export const DECLARED_CREDIT = "initial-credit";
export const MAX_CREDIT = 2 ** 31 - 1;
/** How many streams may be open before the plugin's settings allow more. */
export const INITIAL_STREAMS = 64;
export const MAX_STREAM_ID = 2 ** 31 - 1;
/** So many bytes suffice to tell the head of a canonical data frame from anything else. */
export const LOOK_AHEAD = PREFIX_SIZE + 13;
/** Characters of a message in `reset` or `go_away`. */
export const MAX_MESSAGE = 4096;
