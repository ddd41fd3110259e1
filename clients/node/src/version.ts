/** Of this library. */
export const VERSION = "0.1.0";
export const IMPLEMENTATION = `udist-node/${VERSION}`;

const SAME_RELEASE = "use a plugin and a client of the same release";
/** How the plugin and the clients of udist name themselves. */
const OURS = /^udist-[a-z]+\/([0-9A-Za-z.+-]{1,40})$/;

/** A problem with versions of the protocol, with the name of this library and what to do. */
export function namingRelease(problem: string): string {
  return problem.includes(IMPLEMENTATION) ? problem : `${problem} (${IMPLEMENTATION}); ${SAME_RELEASE}`;
}

/** Says that the plugin is of another release than this library; undefined if it is not, or is not udist's. */
export function otherRelease(plugin: string): string | undefined {
  const version = OURS.exec(plugin)?.[1];
  if (version === undefined || version === VERSION) return undefined;
  return `the plugin is ${plugin}, and this client ${IMPLEMENTATION}: ${SAME_RELEASE}`;
}
