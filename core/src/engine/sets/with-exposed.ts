import { isProvider, type Session } from "../../host/isolation/session.js";
import type { Exposed, RecordedSnapshot, SnapshotSet } from "../../base/schema/types.js";
import type { View } from "../../host/contract/provider.js";
import type { PluginWorkers } from "../../host/plugin-workers.js";
import { checkExposed } from "../../os/path/exposed-tree.js";
import { checkExposeAnswer } from "../../transaction/check-expose-answer.js";
import { undoAll } from "../../transaction/undo-all.js";
import type { EngineContext } from "../types.js";
import { volumeOf } from "./sets.js";

interface ExposureWanted {
  readonly access: Exclude<View["access"], "writable">;
  /** Of the folders; if this process dies, `recover` finds them. */
  readonly name: "verify" | "export";
}

/** Exposes the snapshots. What is written to scratch copies is gone afterwards, whatever happens. */
export async function withExposed<T>(
  { settings, store }: EngineContext,
  workers: PluginWorkers,
  set: SnapshotSet,
  snapshots: readonly RecordedSnapshot[],
  { access, name }: ExposureWanted,
  use: (exposed: Exposed[]) => Promise<T>,
): Promise<T> {
  const exposures: { provider: Session<"provider">; recorded: RecordedSnapshot; at: string }[] = [];
  try {
    const all: Exposed[] = [];
    for (const [number, recorded] of snapshots.entries()) {
      const provider = await workers.session(recorded.by.instance);
      if (!isProvider(provider)) continue;
      const at = store.exposures.of(set.id, `${name}-${number}`);
      await store.exposures.make(at);
      exposures.push({ provider, recorded, at });
      const exposed = await provider.call("expose", [recorded.snapshot, { access, at }], settings.limits.seal);
      if (exposed.readOnly && access === "scratch")
        throw new Error(`${provider.who.instance} exposes its snapshots read-only`);
      checkExposeAnswer(provider.who, exposed, volumeOf(set, recorded.snapshot));
      checkExposed(exposed.trees);
      for (const device of exposed.devices ?? [])
        await store.exposures.admitToDevice(device, access === "scratch" ? "writable" : "read-only");
      all.push(exposed);
    }
    return await use(all);
  } finally {
    await undoAll(exposures, async ({ provider, recorded, at }) => {
      await provider.call("unexpose", [recorded.snapshot], settings.limits.abort);
      await store.exposures.remove(at);
    });
  }
}
