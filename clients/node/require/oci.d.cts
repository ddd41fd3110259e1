// Under --module node16 nothing but CommonJS may be required, though Node requires the package as it is.
import type * as esm from "../dist/oci/index.js" with { "resolution-mode": "import" };
export = esm;
