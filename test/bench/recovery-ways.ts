/** The ways of taking a snapshot of a database server's volume, while its clients go on. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Event } from "#core/base/schema/types.js";
import { program } from "../support/process/command-line.js";
import type { ImageVolume } from "../support/storage/image-volume.js";
import { scripts } from "./samples.js";
import type { Served } from "./served.js";

const exec = promisify(execFile);

export interface Taking {
  readonly volume: ImageVolume;
  readonly served: Served;
  /** Of holdstill. */
  readonly config: string;
}

/** A snapshot that is complete. */
export interface Taken {
  /** What it is in. */
  readonly file: string;
  remove(): Promise<void>;
}

export type Way = (taking: Taking) => Promise<Taken>;

export const ours = "holdstill";
export const crash = "crash-consistent";
/** Beside the ways: nothing is taken. */
export const calm = "no snapshot is taken";

export const ways: Readonly<Record<string, Way>> = {
  async [crash]({ volume }) {
    const clone = cloneOf(volume, "crash");
    await exec("sh", [path.join(scripts, "cut.sh"), volume.mount, volume.image, clone]);
    return takenIn(clone);
  },
  async [ours]({ volume, config }) {
    const set = await created(config);
    const { stdout } = await exec(process.execPath, [program, "show", set, "--json", "--config", config]);
    const { writers } = JSON.parse(stdout) as { writers: { repair?: { state: string; in?: string[] } }[] };
    const [repaired] = writers[0]?.repair?.in ?? [];
    if (writers[0]?.repair?.state !== "repaired" || repaired === undefined)
      throw new Error(`the snapshot was not repaired: ${stdout}`);
    const remove = async (): Promise<void> =>
      void (await exec(process.execPath, [program, "delete", set, "--yes", "--config", config]));
    return { file: path.join(volume.store, repaired), remove };
  },
  async "the best script"({ volume, served: { script } }) {
    const clone = cloneOf(volume, "script");
    const args = [path.join(scripts, script.file), volume.mount, volume.image, clone, ...script.args];
    await exec("sh", args, { env: { ...process.env, ...script.env } });
    return takenIn(clone);
  },
};

async function created(config: string): Promise<string> {
  const args = [program, "create", "writer:db", "--require", "application", "--json=stream", "--config", config];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const over = once(child, "exit");
  let set: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as Event;
    if (event.type === "ended" && event.outcome === "created") set = event.set;
  }
  await over;
  if (set === undefined) throw new Error("no set was created");
  return set;
}

const takenIn = (file: string): Taken => ({
  file,
  remove: async () => await rm(file),
});

const cloneOf = ({ image }: ImageVolume, what: string): string =>
  path.join(path.dirname(image), `${what}-${Date.now()}`);
