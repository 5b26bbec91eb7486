import { readFileSync } from "node:fs";

/** Semantic version of this host, from its own package.json. */
export function ownVersion(): string {
  return (JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }).version;
}

/** The contract versions that this host speaks. */
export const protocols: readonly number[] = [1];
