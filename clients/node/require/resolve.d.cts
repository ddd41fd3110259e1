/** The path of a file in a package. Throws if the package is not installed. */
export function resolve(name: string): string;
/** The optional dependencies of this package, by name. */
export function optionalDependencies(): Readonly<Record<string, string>>;
