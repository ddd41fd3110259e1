import { Code } from "../wire/generated/frame_pb.js";
import type { Field, File, Frame, Settings } from "../wire/generated/frame_pb.js";
import { lengthOf, shownMessage, shownURL, shownValue } from "./allowed.js";

type Json = Record<string, unknown>;

/** A frame in the notation of the test vectors, without what must not be shown. */
export function notationOf({ streamId, endStream, body }: Frame): Json {
  return { ...headOf(streamId, endStream), ...bodyOf(body) };
}

/** A data frame, with the length of its payload. */
export function dataNotation(streamId: number, endStream: boolean, length: number): Json {
  return { ...headOf(streamId, endStream), data: length };
}

function headOf(streamId: number, endStream: boolean): Json {
  return given({ stream_id: streamId, end_stream: endStream });
}

function bodyOf(body: Frame["body"]): Json {
  switch (body.case) {
    case "settings":
      return { settings: settingsOf(body.value) };
    case "request": {
      const { method, scheme, authority, target, fields, timeoutMs, acceptFile, file, initialCredit } = body.value;
      const shown = { method, scheme, authority, target: shownURL(target), fields: fieldsOf(fields) };
      const more = { accept_file: acceptFile, file: fileOf(file), initial_credit: initialCredit };
      return { request: given({ ...shown, timeout_ms: timeoutMs, ...more }) };
    }
    case "response": {
      const { status, fields, file } = body.value;
      return { response: given({ status, fields: fieldsOf(fields), file: fileOf(file) }) };
    }
    case "end":
      return { end: given({ trailers: fieldsOf(body.value.trailers) }) };
    case "windowUpdate":
      return { window_update: given({ credit: body.value.credit }) };
    case "reset": {
      const { code, message, unprocessed } = body.value;
      return { reset: given({ code: codeOf(code), message: shownMessage(message), unprocessed }) };
    }
    case "ping":
      return { ping: given({ token: body.value.token, ack: body.value.ack }) };
    case "goAway": {
      const { lastStreamId, code, message } = body.value;
      return { go_away: given({ last_stream_id: lastStreamId, code: codeOf(code), message: lengthOf(message) }) };
    }
    case "log": {
      const { level, message, fields } = body.value;
      return { log: given({ level, message: lengthOf(message), fields: fieldsOf(fields) }) };
    }
    case "data":
      return { data: body.value.length };
    default:
      return {};
  }
}

function settingsOf(settings: Settings): Json {
  const { versions, maxStreams, capabilities, implementation, processId, configuration, environment } = settings;
  const variables = Object.entries(environment?.variables ?? {});
  return {
    ...given({ versions, max_streams: maxStreams, capabilities, implementation, process_id: processId }),
    ...(configuration !== undefined && { configuration: lengthOf(configuration) }),
    ...(environment && { environment: Object.fromEntries(variables.map(([name, value]) => [name, lengthOf(value)])) }),
    ...given({
      configuration_name: lengthOf(settings.configurationName),
      warnings: settings.warnings.map(lengthOf),
    }),
  };
}

function fieldsOf(fields: readonly Field[]): [string, string | number][] {
  return fields.map(({ name, value }) => [name, shownValue(name, value)]);
}

function fileOf(file: File | undefined): Json | undefined {
  if (!file) return undefined;
  const { fd, offset, length, device, inode, size } = file;
  const wide = Object.entries(given({ offset, length, device, inode, size }));
  return { ...given({ fd }), ...Object.fromEntries(wide.map(([name, value]) => [name, String(value)])) };
}

function codeOf(code: Code): string {
  return code === Code.OK_UNSPECIFIED ? "" : Code[code];
}

/** Without the members that have their default values. */
function given(members: Json): Json {
  const kept = Object.entries(members).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value));
  return Object.fromEntries(kept);
}
