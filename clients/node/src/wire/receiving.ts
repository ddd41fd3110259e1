import { cut } from "./connection.js";
import type { Connection } from "./connection.js";
import { MAX_DATA, VERSION } from "./constants.js";
import { ConnectionFault, StreamFault } from "./errors.js";
import { Code } from "./generated/frame_pb.js";
import type { Frame, Response, Settings } from "./generated/frame_pb.js";
import { contentLength, fieldsProblem, responseProblem } from "./heads.js";
import { next } from "./stream.js";
import type { Input, Stream } from "./stream.js";

type Case<Name> = Extract<Frame["body"], { case: Name }>;
type OfConnection = Case<"settings" | "goAway" | "ping" | "log">;
type OfStream = Case<"response" | "end" | "windowUpdate" | "reset">;

/** What a received frame leads to; nothing asks for nothing, though control may now be owed. */
export type Event = "nothing" | "settings" | "go_away" | "log" | "head" | "end" | "credit" | "reset";

export interface Received {
  readonly event: Event;
  readonly stream?: Stream;
}

const NOTHING: Received = { event: "nothing" };

/**
 * Takes in any frame but canonical data. Throws a `ConnectionFault` for what ends the connection, and a
 * `StreamFault` for what ends one stream.
 */
export function receive(connection: Connection, frame: Frame): Received {
  const body = frame.body;
  const name = nameOf(frame);
  if (!connection.peer && body.case !== "settings" && body.case !== "goAway") {
    throw new ConnectionFault("before-settings", `${name} before settings`);
  }
  if (frame.endStream && body.case !== "response" && body.case !== "request") {
    throw new ConnectionFault("end-stream", `end_stream on ${name}`);
  }
  switch (body.case) {
    case "settings":
    case "goAway":
    case "ping":
    case "log":
      if (frame.streamId !== 0) {
        throw new ConnectionFault("stream-zero", `${name} on stream ${frame.streamId}`);
      }
      return { event: receiveOnConnection(connection, body) };
    case "request":
    case "response":
    case "end":
    case "windowUpdate":
    case "reset": {
      if (frame.streamId === 0) throw new ConnectionFault("stream-zero", `${name} on stream 0`);
      if (body.case === "request") throw new ConnectionFault("wrong-direction", "a request from the plugin");
      const ends = frame.endStream || body.case === "end" || body.case === "reset";
      const stream = find(connection, frame.streamId, ends);
      if (!stream) return NOTHING;
      return { event: receiveOnStream(connection, stream, body, frame.endStream), stream };
    }
    default:
      throw new ConnectionFault("no-body", `a frame with no known body: ${name}`);
  }
}

/** Takes in a data frame by its head. Undefined when the payload is to be dropped. Throws as `receive` does. */
export function receiveData(
  connection: Connection,
  id: number,
  length: number,
  end: boolean,
): Stream | undefined {
  if (!connection.peer) throw new ConnectionFault("before-settings", "data before settings");
  if (id === 0) throw new ConnectionFault("stream-zero", "data on stream 0");
  if (length === 0 && !end) {
    throw new ConnectionFault("empty-data", `data with neither payload nor end on stream ${id}`);
  }
  if (length > MAX_DATA) {
    throw new ConnectionFault("payload-length", `a payload of ${length} bytes exceeds ${MAX_DATA}`);
  }
  const stream = find(connection, id, end);
  if (!stream) return undefined;
  stream.receiving.receive(length);
  stream.received += length;
  advance(connection, stream, "data", end);
  return stream;
}

function receiveOnConnection(connection: Connection, body: OfConnection): Event {
  switch (body.case) {
    case "settings":
      if (connection.peer) throw new ConnectionFault("settings-twice", "settings twice");
      checkVersions(body.value);
      connection.peer = body.value;
      return "settings";
    case "goAway":
      body.value.message = cut(body.value.message);
      connection.goingAway = body.value;
      return "go_away";
    case "ping":
      if (!body.value.ack) connection.pong = body.value.token;
      return "nothing";
    case "log":
      return "log";
  }
}

function checkVersions({ versions, implementation }: Settings): void {
  if (!versions.includes(VERSION)) {
    throw new ConnectionFault(
      "version",
      `no common version: the plugin${implementation && ` (${implementation})`} speaks ${versions.join(", ")}, this side ${VERSION}`,
    );
  }
  if (versions.length > 1) throw new ConnectionFault("version", "the plugin chose more than one version");
}

function receiveOnStream(connection: Connection, stream: Stream, body: OfStream, end: boolean): Event {
  switch (body.case) {
    case "response":
      receiveHead(connection, stream, body.value, end);
      return "head";
    case "end": {
      advance(connection, stream, "an end", true);
      const problem = fieldsProblem(body.value.trailers);
      if (problem) throw fault(connection, stream, Code.INVALID_ARGUMENT, `a trailer: ${problem}`);
      return "end";
    }
    case "windowUpdate":
      stream.sending.grow(body.value.credit);
      return "credit";
    case "reset": {
      body.value.message = cut(body.value.message);
      const early = body.value.code === Code.OK_UNSPECIFIED && !stream.ended;
      const message = "the plugin ended the stream before the response was complete";
      connection.end(stream, early ? { code: Code.INTERNAL, message, unprocessed: false } : body.value);
      return "reset";
    }
  }
}

function receiveHead(connection: Connection, stream: Stream, head: Response, end: boolean): void {
  advance(connection, stream, "a head", end);
  const problem = responseProblem(head.status, head.fields) ?? declare(stream, head, end);
  if (problem) throw fault(connection, stream, Code.INTERNAL, `the response's ${problem}`);
}

/** Notes how much content is to come (section 3, "Content-length"). */
function declare(stream: Stream, head: Response, end: boolean): string | undefined {
  const length = contentLength(head.fields);
  if (length === undefined) return "content-length is not a single number";
  const bodiless = stream.bodiless || head.status === 204 || head.status === 304;
  if (head.file) {
    const asked = stream.acceptsFile && !bodiless && !end && (head.status === 200 || head.status === 206);
    if (!asked) return "file was not asked for";
    if (BigInt(length) !== head.file.length) {
      return `content-length is ${length}, but its file has ${head.file.length} bytes of content`;
    }
  }
  if (bodiless || head.file) stream.expected = 0;
  else if (length > 0 && end) return `content-length is ${length}, but there is no content`;
  else stream.expected = length;
  return undefined;
}

/** The open stream; undefined for one that was closed before. */
function find(connection: Connection, id: number, ends: boolean): Stream | undefined {
  const stream = connection.streams.get(id);
  if (stream) return stream;
  if (id > connection.highestId || id % 2 === 0) {
    throw new ConnectionFault("never-opened", `stream ${id} was never opened`);
  }
  if (ends) connection.givenUp.delete(id);
  return undefined;
}

function advance(connection: Connection, stream: Stream, input: Input, ends: boolean): void {
  const half = next(stream.incoming, input, ends);
  if (!half) {
    throw new ConnectionFault("wrong-state", `${input} on stream ${stream.id}, which ${stream.incoming}`);
  }
  stream.incoming = half;
  const { expected, received } = stream;
  if (expected >= 0 && (received > expected || (stream.ended && received < expected))) {
    const message = `the content has ${received} bytes, but its content-length is ${expected}`;
    throw fault(connection, stream, Code.INTERNAL, message);
  }
  if (!stream.ended) return;
  stream.owed = 0;
  stream.receiving.end();
  connection.closeIfDone(stream);
}

/** Ends a stream for what the plugin did, and owes it a reset unless its last frame has come. */
function fault(connection: Connection, stream: Stream, code: Code, message: string): StreamFault {
  const reset = { code, message, unprocessed: false };
  if (!stream.done) connection.giveUp(stream, reset);
  connection.end(stream, reset);
  return new StreamFault(stream.id, code, message);
}

function nameOf(frame: Frame): string {
  return (frame.body.case ?? "nothing").replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`);
}
