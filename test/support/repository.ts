import path from "node:path";

/** The root of the clone, absolute. */
export const repository = path.resolve(import.meta.dirname, "../../..");
