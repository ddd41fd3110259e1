// RFC 8288, section 3. Each run of spaces is one space here, so that matching takes linear time.
const LINK = /<([^<>]*)>((?: ?; ?[^ =;,]*(?: ?= ?(?:"(?:[^"\\]|\\.)*"|[^ ;,"]*))?)*)/g;
const PARAMETER = /; ?([^ =;,]*)(?: ?= ?(?:"((?:[^"\\]|\\.)*)"|([^ ;,"]*)))?/g;

/** What a Link field says is the next page, as it stands there. */
export function nextIn(field: string): string | undefined {
  for (const [, reference, parameters = ""] of field.replaceAll(/\s+/g, " ").matchAll(LINK)) {
    if (relationsOf(parameters).includes("next")) return reference;
  }
  return undefined;
}

/** The relation types: those of the first `rel`, as others must be ignored (section 3.3). */
function relationsOf(parameters: string): string[] {
  for (const [, name, quoted, token] of parameters.matchAll(PARAMETER)) {
    if (name?.toLowerCase() === "rel") return (quoted ?? token ?? "").toLowerCase().split(" ");
  }
  return [];
}
