/** Our version, the same as in package.json (a test compares them), without reading a file at every start. */
export const version = "0.1.0";

/** The contract versions that this host speaks. */
export const protocols: readonly number[] = [1];
