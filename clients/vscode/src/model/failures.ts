import { UdistError } from "udist-plugin";

import { SettingError } from "./settings.js";

/** An error in the words of a notification, and what its button opens. */
export interface Failure {
  readonly message: string;
  readonly opens: "setting" | "log";
}

const SETTINGS = new Set(["UDIST_ERR_NOT_FOUND", "UDIST_ERR_CONFIGURATION", "UDIST_ERR_HANDSHAKE", "UDIST_ERR_VERSION"]);

/** The cause of an error, on one line; the rest of it is for the log. */
export function failureOf(error: unknown, store?: string): Failure {
  const where = store === undefined ? "" : `${store}: `;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const [line = ""] = message.split("\n");
  const cause = line.replace(/; its standard error ends with:$/, "; the log has what it said");
  if (error instanceof SettingError) return { message: cause, opens: "setting" };
  const setting = error instanceof UdistError && SETTINGS.has(error.code);
  if (name === "TimeoutError") {
    return { message: `${where}no answer in time; if the store is slow, raise udist.timeout`, opens: "setting" };
  }
  return { message: `${where}${cause}`, opens: setting ? "setting" : "log" };
}

/** Whether an error is only that somebody cancelled. */
export function isCancelled(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
