import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Context, Transaction } from "holdstill/plugin";

/**
 * Device-mapper names of an origin that LVM is about to suspend for a moment, and of the snapshot that it is to get. An lvcreate
 * that is killed in that moment leaves the origin suspended, and perhaps no volume with a tag that would tell of it.
 */
export interface Intent {
  readonly origin: string;
  readonly snapshot: string;
}

const fileOf = (tx: Transaction, ctx: Context): string => path.join(ctx.dataDir, "underway", `${tx.id}.json`);

export function intend(tx: Transaction, intents: readonly Intent[], ctx: Context): void {
  mkdirSync(path.dirname(fileOf(tx, ctx)), { recursive: true, mode: 0o700 });
  const fd = openSync(fileOf(tx, ctx), "w", 0o600);
  try {
    writeFileSync(fd, JSON.stringify(intents));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Empty where nothing was begun: an entry that was cut off while it was written was followed by nothing. */
export function intentsOf(tx: Transaction, ctx: Context): readonly Intent[] {
  if (!existsSync(fileOf(tx, ctx))) return [];
  try {
    return JSON.parse(readFileSync(fileOf(tx, ctx), "utf8")) as Intent[];
  } catch {
    return [];
  }
}

export function forget(tx: Transaction, ctx: Context): void {
  rmSync(fileOf(tx, ctx), { force: true });
}
