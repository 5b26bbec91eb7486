import { createHash } from "node:crypto";

/** A digest of the document that does not depend on the order of its properties. */
export function fingerprintOf(document: object): string {
  const ordered = JSON.stringify(document, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash("sha256").update(ordered).digest("hex");
}
