/** How soon a database server is ready on a picture that was taken under load, and what its clients noticed of the taking. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Ended } from "#core/requester/types.js";
import { program } from "../rig/cli.js";
import { ImageVolume } from "../rig/image-volume.js";
import type { Acknowledged } from "../rig/ledger.js";
import { LedgerLoad } from "../rig/load.js";
import { onEnd } from "../rig/on-end.js";
import { pluginsThat } from "../rig/plugins.js";
import { tempDir } from "../rig/temp.js";
import { churn, type Served } from "./served.js";
import { mariadb } from "./served-mariadb.js";
import { postgres } from "./served-postgres.js";
import { type Bench, type Options, Samples, scripts } from "./samples.js";
import { Stay } from "./stay.js";

const MiB = 2 ** 20;
const exec = promisify(execFile);

/** Each takes a picture, and answers the file that it is in. */
type Way = (volume: ImageVolume, served: Served, config: string) => Promise<string>;
const ways: Record<string, Way> = {
  async "crash-consistent"(volume) {
    const clone = path.join(path.dirname(volume.image), `crash-${Date.now()}`);
    await exec("sh", [path.join(scripts, "cut.sh"), volume.mount, volume.image, clone]);
    return clone;
  },
  async holdstill(volume, _served, config) {
    const args = [program, "create", "writer:db", "--require", "application", "--json", "--config", config];
    const { stdout } = await exec(process.execPath, args);
    const { set } = JSON.parse(stdout) as Ended;
    const repair = set?.writers[0]?.repair;
    const [repaired] = repair?.in ?? [];
    if (repair?.state !== "repaired" || repaired === undefined)
      throw new Error(`the picture was not repaired: ${stdout}`);
    return path.join(volume.store, repaired);
  },
  async "the best script"(volume, { script }) {
    const clone = path.join(path.dirname(volume.image), `script-${Date.now()}`);
    const args = [path.join(scripts, script.file), volume.mount, volume.image, clone, ...script.args];
    await exec("sh", args, { env: { ...process.env, ...script.env } });
    return clone;
  },
};

export const recovery: Bench = {
  name: "recovery",
  async run({ quick, say }: Options) {
    const [starts, redo, stalls, takes] = [new Samples(), new Samples(), new Samples(), new Samples()];
    const stock = { rows: quick ? 200_000 : 2_000_000 };
    for (const engine of [postgres, mariadb]) {
      if (engine.missing !== false) {
        say(`${engine.name} is left out: ${engine.missing}`);
        continue;
      }
      for (const size of quick ? [48] : [256, 960]) {
        await using stay = new Stay();
        const of = `${engine.name}, ${size} MiB of redo`;
        say(of);
        const { t } = stay;
        const volume = new ImageVolume(t, 8 * 1024, 32 * 1024);
        const served = await engine.serve(t, volume, stock);
        const config = configOf(tempDir(t), volume, served);
        const load = new LedgerLoad(async () => await served.connect());
        await served.checkpoint();
        await load.start(3);
        onEnd(t, async () => await load[Symbol.asyncDispose]());
        const calm = await churn(served, stock, 3);
        const pictures: { way: string; file: string; confirmed: readonly Acknowledged[] }[] = [];
        while ((await served.redo()) < size * MiB - 16 * MiB) await sleep(100);
        load.lap();
        await sleep(2000);
        stalls.add(of, "no picture is taken, for 2 s", load.lap().worstStallMs);
        for (const [way, take] of Object.entries(ways)) {
          const confirmed = load.acknowledged();
          load.lap();
          const begun = performance.now();
          const file = await take(volume, served, config);
          takes.add(of, way, performance.now() - begun);
          stalls.add(of, way, load.lap().worstStallMs);
          pictures.push({ way, file, confirmed });
          say(`  ${way}: taken in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
        }
        await calm();
        await load.stop();
        await served.halt();
        for (let round = 0; round < (quick ? 1 : 3); round += 1) {
          for (const { way, file, confirmed } of pictures) {
            // A new file each time: nothing of it is in memory.
            const fork = volume.fork(file);
            const mount = volume.expose(fork);
            // Its folder lets root in only; a restored picture lies where its server can go.
            chmodSync(path.dirname(mount), 0o755);
            const { readyMs, redoBytes } = await served.open(mount, confirmed);
            volume.discard(fork);
            starts.add(of, way, readyMs);
            redo.add(of, way, redoBytes / MiB, "MiB");
          }
        }
      }
    }
    const ours = "holdstill";
    return [
      { bench: "recovery", about: "from the start of the server until it takes queries", ours, rows: starts.rows },
      { bench: "recovery redo", about: "what the server replayed on the picture", ours, rows: redo.rows },
      {
        bench: "recovery stall",
        about: "longest transaction of a client while the picture was taken",
        ours,
        rows: stalls.rows,
      },
      { bench: "recovery taking", about: "until the picture was complete", ours, rows: takes.rows },
    ];
  },
};

function configOf(dir: string, { mount, image, store }: ImageVolume, { writer }: Served): string {
  mkdirSync(store, { recursive: true });
  // The server that repairs an exposed picture is another user.
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
