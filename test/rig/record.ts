import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { StateDir } from "#core/store/state-directory.js";
import type { SnapshotSet } from "#core/base/schema/types.js";

/** A record that is valid, of a set with nothing in it. */
export const emptySet = (id: string, name?: string): SnapshotSet => ({
  recordVersion: 1,
  id,
  ...(name === undefined ? {} : { name }),
  tags: {},
  createdAt: "2026-01-02T03:04:05.678Z",
  host: "db1",
  holdstill: "0.1.0",
  targets: ["/srv"],
  cut: "atomic",
  asked: "crash",
  consistency: "crash",
  frozenMs: 0,
  components: [],
  writers: [],
  volumes: [],
  snapshots: [],
  timeline: [],
});

/** What a crash, a full disk or a person may have left in place of a record. */
export function damage(state: StateDir, id: string, text: string): string {
  const file = path.join(state.sets, id, "set.json");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}
