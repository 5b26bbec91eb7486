/** How soon a database server is ready on a snapshot that was taken under load, and what its clients noticed of the taking. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ImageVolume } from "../support/storage/image-volume.js";
import type { Acknowledged } from "../support/server/ledger.js";
import { LedgerLoad } from "../support/server/load.js";
import { onEnd } from "../support/process/on-end.js";
import { pluginsThat } from "../support/fixture/misbehaving-plugins.js";
import { tempDir } from "../support/storage/temp.js";
import { calm, ours, ways } from "./recovery-ways.js";
import { churn, type Served, type Stock } from "./served.js";
import { mariadb } from "./served-mariadb.js";
import { postgres } from "./served-postgres.js";
import { type Bench, type Options, Samples } from "./samples.js";
import { Stay } from "./stay.js";

const MiB = 2 ** 20;

/** What was under full load comes to rest. */
const REST_MS = 5000;
/** So long the clients are watched, whatever is taken: the longer one looks, the longer a transaction one sees. As long as a repair takes. */
const watchMs = (size: number): number => (size > 512 * MiB ? 36_000 : 15_000);
/** Of a session that changes rows, while snapshots are taken: a server that is busy, but not as busy as it can be. */
const PAUSE_MS = 2000;
/** The load stops somewhat later than told, bytes. */
const SHORT = 16 * MiB;

/** What is measured of all, by engine and size. */
interface Sheet {
  readonly starts: Samples;
  readonly redo: Samples;
  readonly stalls: Samples;
  readonly takes: Samples;
}

export const recovery: Bench = {
  name: "recovery",
  async run({ quick, say }: Options) {
    const sheet: Sheet = { starts: new Samples(), redo: new Samples(), stalls: new Samples(), takes: new Samples() };
    const stock = { rows: quick ? 200_000 : 2_000_000 };
    const rounds = quick ? 1 : 3;
    for (const engine of [postgres, mariadb]) {
      if (engine.missing !== false) {
        say(`${engine.name} is left out: ${engine.missing}`);
        continue;
      }
      for (const size of quick ? [48] : [256, 960]) {
        await using stay = new Stay();
        const of = `${engine.name}, ${size} MiB of redo`;
        say(of);
        const volume = new ImageVolume(stay.t, 8 * 1024, 32 * 1024, "direct");
        const served = await engine.serve(stay.t, volume, stock);
        const scene: Scene = { stay, volume, served, stock, of, size: size * MiB, rounds, sheet };
        const pictures = await takeAll(scene, say);
        await openAll(scene, pictures);
      }
    }
    const { starts, redo, stalls, takes } = sheet;
    return [
      { bench: "recovery", about: "from the start of the server until it takes queries", ours, rows: starts.rows },
      { bench: "recovery redo", about: "what the server replayed on the snapshot", ours, rows: redo.rows },
      {
        bench: "recovery stall",
        about: `longest transaction of a client in ${watchMs(256 * MiB) / 1000} or ${watchMs(960 * MiB) / 1000} s, in which the snapshot is taken`,
        ours,
        rows: stalls.rows,
      },
      { bench: "recovery taking", about: "until the snapshot was complete", ours, rows: takes.rows },
    ];
  },
};

/** A server on its volume, and what is asked of it. */
interface Scene {
  readonly stay: Stay;
  readonly volume: ImageVolume;
  readonly served: Served;
  readonly stock: Stock;
  /** The case. */
  readonly of: string;
  /** What a crash is to leave to replay, bytes. */
  readonly size: number;
  readonly rounds: number;
  readonly sheet: Sheet;
}

interface Picture {
  readonly way: string;
  readonly file: string;
  /** What it must have. */
  readonly confirmed: readonly Acknowledged[];
}

/** Takes snapshots in every way and every round, while clients go on; answers those of the first round, and removes the others. */
async function takeAll(scene: Scene, say: Options["say"]): Promise<Picture[]> {
  const { stay, volume, served, stock, of, size, rounds, sheet } = scene;
  const config = configOf(tempDir(stay.t), volume, served);
  const load = new LedgerLoad(async () => await served.connect());
  await served.checkpoint();
  await load.start(3);
  onEnd(stay.t, async () => await load[Symbol.asyncDispose]());
  const changes = await churn(served, stock, 3);
  const pictures: Picture[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // A script's checkpoint has emptied the log, and ours is to have as much to repair each time.
    changes.pause(0);
    while ((await served.redo()) < size - SHORT) await sleep(100);
    changes.pause(PAUSE_MS);
    await sleep(REST_MS);
    for (const [way, take] of Object.entries(ways)) {
      const confirmed = load.acknowledged();
      load.lap();
      const begun = performance.now();
      const taken = await take({ volume, served, config });
      const took = performance.now() - begun;
      sheet.takes.add(of, way, took);
      say(`  ${way}: taken in ${(took / 1000).toFixed(1)} s`);
      await sleep(Math.max(0, watchMs(size) - took));
      sheet.stalls.add(of, way, load.lap().worstStallMs);
      if (round === 0) pictures.push({ way, file: taken.file, confirmed });
      else await taken.remove();
    }
    load.lap();
    await sleep(watchMs(size));
    sheet.stalls.add(of, calm, load.lap().worstStallMs);
  }
  await changes.stop();
  await load.stop();
  await served.halt();
  return pictures;
}

async function openAll({ volume, served, of, rounds, sheet }: Scene, pictures: readonly Picture[]): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const { way, file, confirmed } of pictures) {
      // A new file each time: nothing of it is in memory.
      const fork = volume.fork(file);
      const mount = volume.expose(fork);
      // Its folder lets root in only; a restored snapshot lies where its server can go.
      chmodSync(path.dirname(mount), 0o755);
      const { readyMs, redoBytes } = await served.open(mount, confirmed);
      volume.discard(fork);
      sheet.starts.add(of, way, readyMs);
      sheet.redo.add(of, way, redoBytes / MiB, "MiB");
    }
  }
}

function configOf(dir: string, { mount, image, store }: ImageVolume, { writer }: Served): string {
  mkdirSync(store, { recursive: true });
  // The server that repairs an exposed snapshot is another user.
  chmodSync(dir, 0o755);
  const file = path.join(dir, "holdstill.json");
  const plugins = [
    { ...writer, as: "db" },
    { use: "provider-image", as: "images", options: { mount, image, store } },
  ];
  const places = {
    stateDir: path.join(dir, "state"),
    exposeDir: path.join(dir, "exposed"),
    pluginPaths: [pluginsThat],
  };
  writeFileSync(file, JSON.stringify({ ...places, plugins }));
  return file;
}
