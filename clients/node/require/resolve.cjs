// In CommonJS, because there a package is found in the same way after every kind of build: by require.resolve, from the
// folder of this package.
exports.resolve = (name) => require.resolve(name);
exports.optionalDependencies = () => require("../package.json").optionalDependencies ?? {};
