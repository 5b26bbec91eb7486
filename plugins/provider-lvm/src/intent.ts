import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Context, Transaction } from "holdstill/plugin";
import { type LogicalVolume } from "./logical-volume.js";
import { deviceName, dmsetup, look } from "./mapper.js";

/**
 * Device-mapper names of the origins that LVM is about to suspend for a moment. An lvcreate that is killed then leaves its
 * origin suspended, and no tag that would tell of it.
 */
type Intent = readonly string[];

const fileOf = (tx: Transaction, ctx: Context): string => path.join(ctx.dataDir, "underway", `${tx.id}.json`);

export function intend(tx: Transaction, parts: readonly { origin: LogicalVolume }[], ctx: Context): void {
  const intent: Intent = parts.map(({ origin }) => deviceName(origin));
  mkdirSync(path.dirname(fileOf(tx, ctx)), { recursive: true, mode: 0o700 });
  const fd = openSync(fileOf(tx, ctx), "w", 0o600);
  try {
    writeFileSync(fd, JSON.stringify(intent));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Resumes what a killed lvcreate has left suspended. Answers the faults. */
export async function settle(tx: Transaction, ctx: Context): Promise<unknown[]> {
  const faults: unknown[] = [];
  for (const device of readIntent(tx, ctx)) {
    try {
      if (look(device)?.isSuspended === true) await dmsetup(ctx, ["resume", device]);
    } catch (error) {
      faults.push(error);
    }
  }
  return faults;
}

export function forget(tx: Transaction, ctx: Context): void {
  rmSync(fileOf(tx, ctx), { force: true });
}

/** One that was cut off while it was written was followed by nothing. */
function readIntent(tx: Transaction, ctx: Context): Intent {
  if (!existsSync(fileOf(tx, ctx))) return [];
  try {
    return JSON.parse(readFileSync(fileOf(tx, ctx), "utf8")) as Intent;
  } catch {
    return [];
  }
}
