import type { MessageInitShape } from "@bufbuild/protobuf";

import { INITIAL_CREDIT } from "./constants.js";
import type { FieldSchema, RequestSchema } from "./generated/frame_pb.js";

// The rules for heads (section 3, "Heads"). Each function returns what is wrong, or undefined.

export type RequestInit = MessageInitShape<typeof RequestSchema>;
type FieldInit = MessageInitShape<typeof FieldSchema>;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const TARGET = /^(?:\*|\/[!"$-~]*)$/;
const SCHEME = /^https?$/;
const AUTHORITY = /^[!$%&'*+\-._~(),;=:[\]0-9A-Za-z]*$/;
const HOP_BY_HOP = new Set([
  "connection",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);
const MAX_LENGTH = 2n ** 63n - 1n;

/** Whether a field, by its lower-case name, never travels: it is about a connection, or the authority replaces it. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

export function requestProblem(head: RequestInit): string | undefined {
  if (!TOKEN.test(head.method ?? "")) return `method ${shown(head.method)} is not a token`;
  if (!TARGET.test(head.target ?? "")) return `target ${shown(head.target)} is not in origin form`;
  if (!SCHEME.test(head.scheme ?? "")) return `scheme ${shown(head.scheme)} is neither http nor https`;
  if (!AUTHORITY.test(head.authority ?? "")) return `authority ${shown(head.authority)} is not a host and port`;
  if ((head.initialCredit ?? 0) > INITIAL_CREDIT) {
    return `initial credit of ${head.initialCredit} bytes exceeds ${INITIAL_CREDIT}`;
  }
  return fieldsProblem(head.fields ?? []);
}

export function responseProblem(status: number, fields: readonly FieldInit[]): string | undefined {
  if (status < 200 || status > 599) return `status ${status} is not between 200 and 599`;
  return fieldsProblem(fields);
}

export function fieldsProblem(fields: readonly FieldInit[]): string | undefined {
  for (const { name = "", value = new Uint8Array() } of fields) {
    if (!FIELD_NAME.test(name)) return `field name ${shown(name)} is not a lower-case token`;
    if (isHopByHop(name)) return `field ${name} cannot be sent`;
    if (value.some((c) => (c < 0x20 && c !== 0x09) || c === 0x7f)) {
      return `field ${name} has a control character in its value`;
    }
  }
  return undefined;
}

/** The declared length of the content, -1 if there is none; undefined if it is not one number. */
export function contentLength(fields: readonly FieldInit[]): number | undefined {
  let length = -1n;
  for (const { name, value = new Uint8Array() } of fields) {
    if (name !== "content-length") continue;
    const text = Buffer.from(value).toString("latin1");
    const number = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
    if (number < 0n || number > MAX_LENGTH || (length >= 0n && length !== number)) return undefined;
    length = number;
  }
  return Number(length);
}

function shown(text = ""): string {
  return JSON.stringify(text.slice(0, 64));
}
