export { pullArtifact, pushArtifact } from "./artifact.js";
export type { PulledFile, PushOptions, SourceFile } from "./artifact.js";
export * from "./errors.js";
export { Registry } from "./registry.js";
export type { ListOptions, RegistryOptions } from "./registry.js";
export type { ByteStream, Content } from "./transport.js";
export * from "./types.js";
