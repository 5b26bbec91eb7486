import assert from "node:assert/strict";
import type { View, Volume } from "holdstill/plugin";
import provider from "@holdstill/provider-reflink";
import { locate } from "#core/storage/volumes.js";
import type { Probe } from "./context.js";

export type Options = { store?: string };
/** The plugin mounts nothing. */
export const view: View = { access: "read-only", at: "/nowhere" };
export const tx = { id: "20260101-000000-abcdef", cut: "fuzzy" } as const;

export function volumeOf(paths: string[], exclude: string[] = []): Volume {
  const [volume] = locate([{ paths, exclude }]).volumes;
  assert.ok(volume);
  return volume;
}

/** Takes a snapshot as the host does, and answers where the tree lies. */
export async function take(volume: Volume, probe: Probe<Options>): Promise<string> {
  const section = await provider.prepare(tx, [volume], probe.ctx);
  assert.deepEqual(section, { hold: [], commit: [{ op: "plugin" }] });
  await provider.commit?.(tx, probe.ctx);
  const [snapshot] = await provider.seal(tx, probe.ctx);
  assert.ok(snapshot);
  const { trees } = await provider.expose(snapshot, view, probe.ctx);
  assert.equal(trees[0]?.original, volume.paths[0]);
  return trees[0]?.path ?? "";
}
