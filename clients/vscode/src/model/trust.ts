/** What is not done in a folder that is not trusted: its files, and its settings, may be anyone's. */
export class TrustError extends Error {
  override readonly name = "TrustError";
}

/** Throws a `TrustError` unless the folder is trusted. The menus say the same, but anybody can call a command. */
export function requireTrust(trusted: boolean, done: "pulled" | "pushed" | "deleted"): void {
  if (trusted) return;
  throw new TrustError(`nothing is ${done} until you trust this folder; run Workspaces: Manage Workspace Trust`);
}
