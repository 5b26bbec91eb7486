import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { codeOf } from "#kit/plugin-error.js";
import { readControl } from "./control.js";
import type { Facts } from "./facts.js";

/**
 * The highest timeline that a cluster is known to have had, by its system identifier, in the instance's own folder: after the loss of a
 * data directory, nothing else has it.
 */
export function knownTimeline(folder: string, systemIdentifier: string): number | undefined {
  return read(folder)[systemIdentifier];
}

export function noteTimeline(folder: string, systemIdentifier: string, timeline: number): void {
  const all = read(folder);
  if ((all[systemIdentifier] ?? 0) >= timeline) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${fileIn(folder)}.draft`;
  writeFileSync(draft, `${JSON.stringify({ ...all, [systemIdentifier]: timeline })}\n`, { mode: 0o600 });
  renameSync(draft, fileIn(folder));
}

/** Of a data directory: by its control file, and by the histories that it has. */
export function timelineOf({ dataDir, systemIdentifier }: Facts): number {
  try {
    const control = readControl(path.join(dataDir, "global/pg_control"));
    if (control.systemIdentifier !== systemIdentifier) return 0;
    const histories = readdirSync(path.join(dataDir, "pg_wal")).flatMap(
      (name) => /^([0-9A-F]{8})\.history$/.exec(name)?.[1] ?? [],
    );
    return Math.max(control.timeline, ...histories.map((name) => Number.parseInt(name, 16)));
  } catch {
    // It is damaged, which is why it is restored.
    return 0;
  }
}

const fileIn = (folder: string): string => path.join(folder, "timelines.json");

function read(folder: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(fileIn(folder), "utf8")) as Record<string, number>;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return {};
    throw error;
  }
}
