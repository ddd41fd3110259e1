export type { Exit } from "./child/child.js";
export * from "./errors.js";
export type { SpawnOptions } from "./options.js";
export { spawn } from "./plugin.js";
export type { Plugin } from "./plugin.js";
