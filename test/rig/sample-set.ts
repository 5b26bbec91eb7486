import { readFileSync } from "node:fs";
import path from "node:path";
import type { SnapshotSet } from "#core/base/schema/types.js";

/** The record that the schema's samples have. */
export function sampleSet(): SnapshotSet {
  const file = path.join(import.meta.dirname, "../../../schemas/samples/valid/snapshot-set.postgres-on-lvm.json");
  return JSON.parse(readFileSync(file, "utf8")) as SnapshotSet;
}
