export { pullFiles, pushFiles } from "./artifact.js";
export type { PulledFile, PushOptions, SourceFile } from "./artifact.js";
export * from "./errors.js";
export { Registry } from "./registry.js";
export type { Content, RegistryOptions } from "./registry.js";
export * from "./types.js";
