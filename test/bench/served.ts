import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ImageVolume } from "../support/storage/image-volume.js";
import type { Acknowledged } from "../support/server/ledger.js";
import type { LoadClient } from "../support/server/load.js";

/** A start that replays much on a busy machine. */
export const READY_WITHIN_MS = 10 * 60_000;

/** A database server whose recovery is measured. */
export interface Engine {
  readonly name: string;
  /** Why it cannot be measured on this machine. */
  readonly missing: string | false;
  /** A server with a ledger and `stock` on a volume, gone when `t` ends. */
  serve(t: TestContext, volume: ImageVolume, stock: Stock): Promise<Served>;
}

/** A table whose rows are changed at random, so that redo has many pages to visit. */
export interface Stock {
  readonly rows: number;
}

export interface Served {
  /** The writer's block of a config. */
  readonly writer: Record<string, unknown>;
  /** What the best script is told beside mount, image and clone. */
  readonly script: { readonly file: string; readonly args: readonly string[]; readonly env: Record<string, string> };
  connect(): Promise<LoadClient>;
  /** Empties the redo log, as far as a server that runs does. */
  checkpoint(): Promise<void>;
  /** What a crash now would leave to replay, bytes. */
  redo(): Promise<number>;
  /** Starts a server on a snapshot that is mounted there, checks its books, and ends it. */
  open(mount: string, confirmed: readonly Acknowledged[]): Promise<Opened>;
  halt(): Promise<void>;
}

export interface Opened {
  /** From the start of the process until it takes queries, ms. */
  readonly readyMs: number;
  /** What it says that it replayed. */
  readonly redoBytes: number;
}

/** Sessions that change rows. */
export interface Changes {
  /** From now on each waits so long after a transaction, ms. */
  pause(ms: number): void;
  stop(): Promise<void>;
}

/** Changes rows as fast as the server confirms, `sessions` at a time, none of which touches another's. */
export async function churn(served: Served, { rows }: Stock, sessions: number): Promise<Changes> {
  const stop = new AbortController();
  let pauseMs = 0;
  const clients = await Promise.all(Array.from({ length: sessions }, async () => await served.connect()));
  const works = clients.map(async (client, at) => {
    while (!stop.signal.aborted) {
      const ids = Array.from({ length: ROWS }, () => at + sessions * Math.floor((Math.random() * rows) / sessions));
      await client.query(`UPDATE stock SET n = n + 1, what = '${word()}' WHERE id IN (${ids.join(", ")})`);
      await sleep(pauseMs);
    }
    await client.end();
  });
  const all = Promise.all(works);
  // Whoever stops it hears of a failure.
  all.catch(() => {});
  return {
    pause: (ms) => void (pauseMs = ms),
    async stop() {
      stop.abort();
      await all;
    },
  };
}

/** Of a transaction: so many that the log grows by what is written and not by how often a disk confirms. */
const ROWS = 1000;

const word = (): string => String.fromCodePoint(97 + Math.floor(Math.random() * 26)).repeat(200);
