import assert from "node:assert/strict";
import { test } from "node:test";

import { encode } from "../src/wire/codec.js";
import { Connection } from "../src/wire/connection.js";
import { ConnectionFault, StreamFault } from "../src/wire/errors.js";
import { Code } from "../src/wire/generated/frame_pb.js";
import type { Frame } from "../src/wire/generated/frame_pb.js";
import { receive, receiveData } from "../src/wire/receiving.js";
import type { Stream } from "../src/wire/stream.js";
import { readOne } from "./reading.js";
import { bytesOf, codeOf, frameOf, load } from "./vectors.js";
import type { JsonFrame, Piece } from "./vectors.js";

interface Step {
  row?: string;
  from: "caller" | "plugin";
  bytes: Piece[];
  frame: JsonFrame;
  event?: string | Record<string, string>;
  code?: string;
  caller_slots?: number;
}

interface Conversation {
  name: string;
  sides: string[];
  steps: Step[];
  next: Step[];
}

test("conversations go as the vectors say", async (t) => {
  for (const { name, sides, steps } of load<Conversation>("conversations.json")) {
    if (!sides.includes("caller")) continue;
    await t.test(name, () => {
      run(steps);
    });
  }
});

test("each frame leads in each state to what the tables say", async (t) => {
  for (const { name, sides, steps, next } of load<Conversation>("cells.json")) {
    if (!sides.includes("caller")) continue;
    await t.test(name, () => {
      assert.ok(next.length > 0);
      for (const step of next) run([...steps, step]);
    });
  }
});

function run(steps: readonly Step[]): void {
  const caller = new Caller();
  for (const { from, bytes, frame, event, code, caller_slots: slots } of steps) {
    const about = JSON.stringify(frame);
    if (from === "caller") assert.deepEqual(Buffer.from(caller.send(frameOf(frame))), bytesOf(bytes), about);
    else assert.deepEqual(caller.take(bytesOf(bytes)), event, about);
    if (code) assert.equal(caller.stream(frame.stream_id ?? 0).reset?.code, codeOf(code), about);
    if (slots !== undefined) assert.equal(caller.connection.slots, slots, about);
  }
}

/** A connection driven by bytes. */
class Caller {
  readonly connection = new Connection(0);
  readonly #streams = new Map<number, Stream>();

  send(frame: Frame): Uint8Array {
    const { connection } = this;
    const { body, streamId, endStream } = frame;
    switch (body.case) {
      case "settings":
        return connection.settings(body.value);
      case "request": {
        connection.highestId = Math.max(connection.highestId, streamId - 2); // ids may be skipped
        const { stream, frame: written } = connection.open(body.value, endStream);
        this.#streams.set(streamId, stream);
        return written;
      }
      case "data":
        return Buffer.concat([
          connection.sendData(this.stream(streamId), body.value.length, endStream),
          body.value,
        ]);
      case "end":
        return connection.sendEnd(this.stream(streamId), body.value.trailers);
      case "windowUpdate":
        connection.consume(this.stream(streamId), body.value.credit);
        return Buffer.concat(connection.takeControl());
      case "reset": {
        if (!connection.owesControl) {
          connection.reset(this.stream(streamId), body.value.code, body.value.message);
        }
        const { frame: sent } = readOne(Buffer.concat(connection.takeControl()));
        assert.equal(sent.body.case, "reset");
        sent.body.value.message = body.value.message; // which is free
        return encode(sent);
      }
      default:
        return connection.owesControl ? Buffer.concat(connection.takeControl()) : encode(frame);
    }
  }

  take(bytes: Uint8Array): Step["event"] {
    const { connection } = this;
    const owed = connection.owesControl;
    try {
      const { frame } = readOne(bytes);
      if (frame.body.case === "data") {
        const stream = receiveData(connection, frame.streamId, frame.body.value.length, frame.endStream);
        return stream ? "data" : "dropped";
      }
      const { event } = receive(connection, frame);
      if (event !== "nothing") return event;
      return connection.owesControl && !owed ? "ping" : "dropped";
    } catch (error) {
      if (error instanceof StreamFault) return { stream_error: Code[error.code] };
      if (error instanceof ConnectionFault) return { connection_error: error.breach };
      throw error;
    }
  }

  stream(id: number): Stream {
    const stream = this.#streams.get(id);
    assert.ok(stream);
    return stream;
  }
}
