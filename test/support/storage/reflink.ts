import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import type { FileSystemVolume, View } from "holdstill/plugin";
import provider from "@holdstill/provider-reflink";
import type { Probe } from "../fixture/context.js";
import { onEnd } from "../process/on-end.js";
import { fileSystemsOf } from "./file-systems.js";
import { tempDir } from "./temp.js";

export type Options = { store?: string };
export const tx = { id: "20260101-000000-abcdef", cut: "fuzzy" } as const;

export function volumeOf(paths: string[], exclude: string[] = []): FileSystemVolume {
  const [volume] = fileSystemsOf(paths, exclude);
  assert.ok(volume);
  return volume;
}

/** A place to show a snapshot at, which everybody may pass to. What is mounted there is unmounted when the test ends. */
export function viewIn(t: TestContext, access: View["access"]): View {
  const at = path.join(tempDir(t), "at");
  mkdirSync(at);
  chmodSync(path.dirname(at), 0o755);
  onEnd(t, () => spawnSync("umount", ["--", at]));
  return { access, at };
}

/** Takes a snapshot as the host does, and answers where the tree lies in the store. */
export async function take(volume: FileSystemVolume, probe: Probe<Options>): Promise<string> {
  const section = await provider.prepare(tx, [volume], probe.ctx);
  assert.deepEqual(section, { hold: [], commit: [{ op: "plugin" }] });
  await provider.commit?.(tx, probe.ctx);
  const [snapshot] = await provider.seal(tx, probe.ctx);
  assert.ok(snapshot);
  return path.join(String(snapshot.facts?.["path"]), "files", volume.paths[0] ?? "");
}
