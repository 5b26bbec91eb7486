/** provider-rbd on the cluster of a test, called directly. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import type { Context, Snapshot, Transaction, View } from "holdstill/plugin";
import provider from "@holdstill/provider-rbd";
import type { Options } from "@holdstill/provider-rbd/dist/options.js";
import { context } from "../fixture/context.js";
import { fileSystemsOf } from "../storage/file-systems.js";
import { tempDir } from "../storage/temp.js";
import type { Cluster } from "./cluster.js";

export const FUSE = "/usr/bin/rbd-fuse";

/** Makes the context of one call, each with its own deadline. */
export type NewCall = (limitMs?: number) => Context<Options>;

/** One instance of the plugin. @param ways How images may be mapped, beside the kernel's own. */
export function instanceOn(
  t: TestContext,
  { conf }: Cluster,
  options: Partial<Options> = {},
  ways: Pick<Options, "fuse"> = { fuse: FUSE },
): NewCall {
  const dataDir = tempDir(t);
  const all = { conf, user: "admin", groups: "auto", answerSeconds: 30, ...ways, ...options } as const;
  return (limitMs = 60_000) => context<Options>(all, { dataDir, limitMs });
}

export const transaction = (): Transaction => ({
  id: `20260101-000000-${randomBytes(4).toString("hex")}`,
  cut: "atomic",
});

/** Takes a set of the file systems at these mounts; nothing is held. */
export async function take(
  call: NewCall,
  mounts: readonly string[],
  tx: Transaction = transaction(),
): Promise<Snapshot[]> {
  await provider.prepare(tx, fileSystemsOf(mounts), call());
  await provider.commit?.(tx, call());
  return await provider.seal(tx, call());
}

export async function takeOne(call: NewCall, mount: string): Promise<Snapshot> {
  const [snapshot] = await take(call, [mount]);
  return snapshot ?? assert.fail("there is no snapshot");
}

/** Shows a snapshot, and returns the first of its trees. */
export async function shown(
  t: TestContext,
  call: NewCall,
  snapshot: Snapshot,
  access: View["access"] = "read-only",
): Promise<string> {
  const at = path.join(tempDir(t), "at");
  mkdirSync(at);
  const { trees } = await provider.expose(snapshot, { access, at }, call());
  return trees[0]?.path ?? assert.fail("nothing is exposed");
}

export async function listed(call: NewCall): Promise<Snapshot[]> {
  const all = await provider.list(call());
  return Array.isArray(all) ? all : assert.fail(`a part is not seen: ${JSON.stringify(all)}`);
}
