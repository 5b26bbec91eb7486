/** btrfs subvolumes, and provider-btrfs on them, called directly. The kernel calls of its commit are made by btrfs(8). */
import { execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import type { CommitOp, Context, FileSystemVolume, Snapshot, Transaction } from "holdstill/plugin";
import provider from "@holdstill/provider-btrfs";
import { btrfsAlone } from "./btrfs-alone.js";
import { fileSystemsOf } from "./file-systems.js";
import { loopFs } from "./loop-device.js";

export interface Options {
  nested: "capture" | "leave-out";
}

export const capturing: Options = { nested: "capture" };

/** Each has an id of its own: provider-btrfs sees the file systems of tests that run at the same time. */
export const transaction = (): Transaction => ({
  id: `20260101-000000-${randomBytes(6).toString("hex")}`,
  cut: "per-volume",
});

/** The snapshots on one file system. Those of other tests are not meant. */
export async function listOn(top: string, ctx: Context<Options>): Promise<Snapshot[]> {
  const uuid = /uuid: (\S+)/.exec(btrfs("filesystem", "show", top))?.[1];
  const listed = await provider.list(ctx);
  const all = Array.isArray(listed) ? listed : listed.snapshots;
  return all.filter(({ facts }) => facts?.["filesystem"] === uuid);
}

export const btrfs = (...args: string[]): string => execFileSync("btrfs", args, { encoding: "utf8", stdio: "pipe" });

/** A file system with its top mounted; null where this machine cannot. */
export function topOf(t: TestContext, name = "btrfs", bytes?: number): string | null {
  btrfsAlone(t);
  return loopFs(t, "btrfs", name, bytes);
}

/** Makes a subvolume, with the folders above it. */
export function subvolume(at: string): string {
  mkdirSync(path.dirname(at), { recursive: true });
  btrfs("-q", "subvolume", "create", at);
  return at;
}

/** All that a transaction may leave: subvolumes by their number, what is at the top, and the mounts. */
export function stateOf(top: string): string {
  const subvolumes = btrfs("subvolume", "list", top).replaceAll(/ gen \d+/g, "");
  const names = execFileSync("ls", ["-A", top], { encoding: "utf8" });
  return `${subvolumes}${names}${mountsIn(path.dirname(top)).join("\n")}`;
}

/** Where something is mounted in a folder, or on it; other tests have mounts of their own. */
export function mountsIn(folder: string): string[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return lines.flatMap((line) => line.split(" ")[4] ?? []).filter((point) => `${point}/`.startsWith(`${folder}/`));
}

/** The volumes of paths: each subvolume is one. */
export const volumesOf = (...paths: string[]): FileSystemVolume[] => fileSystemsOf(paths);

/** Takes a set as the host does. */
export async function take(
  tx: Transaction,
  volumes: readonly FileSystemVolume[],
  ctx: Context<Options>,
): Promise<Snapshot[]> {
  commit((await provider.prepare(tx, volumes, ctx)).commit);
  return await provider.seal(tx, ctx);
}

/** One snapshot of one volume. */
export async function takeOne(target: string, ctx: Context<Options>): Promise<Snapshot> {
  const [snapshot] = await take(transaction(), volumesOf(target), ctx);
  return snapshot ?? assert.fail("there is no snapshot");
}

/** As the keeper does it. */
export function commit(ops: readonly CommitOp[]): void {
  for (const op of ops) {
    if (op.op === "parallel") for (const chain of op.chains) commit(chain);
    if (op.op !== "btrfs-snapshot") continue;
    btrfs(
      "subvolume",
      "snapshot",
      ...(op.writable === true ? [] : ["-r"]),
      op.subvolume,
      path.join(op.folder, op.name),
    );
  }
}
