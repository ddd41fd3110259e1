import type { Connection } from "../wire/connection.js";
import { StreamFault } from "../wire/errors.js";
import type { DataHead } from "../wire/framing.js";
import { Code } from "../wire/generated/frame_pb.js";
import type { Frame, GoAway } from "../wire/generated/frame_pb.js";
import type { FrameSink } from "../wire/reader.js";
import { receive, receiveData } from "../wire/receiving.js";
import type { Stream } from "../wire/stream.js";
import { ExchangeReset, Refusal } from "./errors.js";
import type { Exchange } from "./exchange.js";

/** Receives what the plugin sends, and passes it on to `exchanges`, the open ones by stream id. */
export class Incoming implements FrameSink {
  readonly #touched = new Set<Exchange>();
  #current: Exchange | undefined; // whose payload is under way

  constructor(
    private readonly connection: Connection,
    private readonly exchanges: Map<number, Exchange>,
  ) {}

  frame(frame: Frame): void {
    if (frame.body.case === "data") {
      const { streamId, endStream, body } = frame;
      this.dataHead({ streamId, endStream, length: body.value.length, size: 0 });
      if (body.value.length > 0) this.payload(body.value);
      return;
    }
    const ready = this.connection.peer !== undefined;
    try {
      const { event, stream } = receive(this.connection, frame);
      if (event === "go_away") this.#goAway(frame.body.value as GoAway, ready);
      if (stream) this.#take(stream, frame);
    } catch (error) {
      this.#costStream(error);
    }
  }

  dataHead({ streamId, endStream, length }: DataHead): void {
    this.#current = undefined;
    try {
      const stream = receiveData(this.connection, streamId, length, endStream);
      this.#current = stream && this.exchanges.get(stream.id);
      this.#current?.expect(length);
      if (length === 0) this.settle(streamId);
    } catch (error) {
      this.#costStream(error);
    }
  }

  payload(piece: Uint8Array): void {
    const exchange = this.#current;
    if (!exchange) return;
    exchange.put(new Uint8Array(piece));
    this.#touched.add(exchange);
    if (exchange.whole) this.settle(exchange.stream.id);
  }

  /** Lets those look for whom something has come: once, however much a chunk brought. */
  tell(): void {
    for (const exchange of this.#touched) exchange.notify();
    this.#touched.clear();
  }

  /** Forgets a stream if it is closed; what has come of it its reader still gets. */
  settle(streamId: number): void {
    const exchange = this.exchanges.get(streamId);
    if (!exchange) return;
    this.#touched.add(exchange);
    const { reset, done } = exchange.stream;
    if (reset || (done && exchange.whole)) this.exchanges.delete(streamId);
  }

  #take(stream: Stream, { body }: Frame): void {
    const exchange = this.exchanges.get(stream.id);
    if (!exchange) return;
    if (body.case === "response") exchange.response = body.value;
    if (body.case === "end") exchange.trailers = body.value.trailers;
    if (body.case === "reset" && !stream.ended) {
      const { code, message, unprocessed } = stream.reset ?? body.value;
      exchange.fail(new ExchangeReset(code, message, unprocessed));
    }
    this.settle(stream.id);
  }

  /** Lets an error of one stream end that stream alone. */
  #costStream(error: unknown): void {
    if (!(error instanceof StreamFault)) throw error;
    this.exchanges.get(error.streamId)?.fail(new ExchangeReset(error.code, error.message, false));
    this.settle(error.streamId);
  }

  #goAway(away: GoAway, ready: boolean): void {
    if (!ready) throw new Refusal(away.code, away.message);
    for (const [streamId, exchange] of [...this.exchanges]) {
      if (streamId <= away.lastStreamId) continue;
      exchange.cancel(new ExchangeReset(Code.UNAVAILABLE, away.message, true));
    }
  }
}
