import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { entriesOf } from "../host/manifest/folder.js";
import { isWithin, readMounts } from "../os/mounts.js";
import { prctl } from "../os/libc.js";
import { MARK } from "./shell.js";

/** How long the processes of a fixture have to stay the same after its setup, ms; and when they are taken as they are: servers may go on
 * starting some. */
const [SETTLED_MS, SETTLE_LIMIT_MS] = [250, 5000];
const POLL_MS = 20;

/** linux/prctl.h: from then on orphans below this process become its children. */
const PR_SET_CHILD_SUBREAPER = 36;

/** Makes that a process which a plugin leaves is seen, however it went into the background. */
export function adoptOrphans(state: "on" | "off"): void {
  prctl(PR_SET_CHILD_SUBREAPER, state === "on" ? 1 : 0);
}

export interface Process {
  pid: number;
  command: string;
  /** Id of its session, setsid(2). */
  session: number;
  /** Whether one of the fixture's commands started it. */
  by: "fixture" | "other";
}

/**
 * The processes that the fixture's commands started. A server may overwrite its environment, and become a daemon, so the mark in the
 * environment is one proof among others: it appeared while a command of the fixture ran, or such a process started it or leads its session.
 */
export class FixtureProcesses {
  readonly #known = new Set<string>();
  readonly #sessions = new Set<number>();
  /** What was there before the fixture was set up. */
  #before: ReadonlySet<string> = new Set();

  /** The fixture is about to be set up. */
  begin(): void {
    this.#before = new Set(below().map(keyOf));
  }

  /** Runs a command of the fixture. What appears meanwhile is the fixture's. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const before = new Set(below().map(keyOf));
    try {
      return await work();
    } finally {
      this.#learn((process) => !before.has(keyOf(process)));
    }
  }

  /**
   * Learns what runs since `begin`, until it has stayed the same for a while: a daemon becomes one in several steps. No worker of the
   * plugin has begun since then, so all of it is the fixture's.
   */
  async settle(): Promise<void> {
    const end = performance.now() + SETTLE_LIMIT_MS;
    for (let [last, since] = ["", performance.now()]; performance.now() < end;) {
      const running = this.#learn((process) => !this.#before.has(keyOf(process)));
      if (running === "") return;
      if (running !== last) [last, since] = [running, performance.now()];
      else if (performance.now() - since >= SETTLED_MS) return;
      await sleep(POLL_MS);
    }
  }

  /** Every process below this one that still runs, without those given and what these have started. */
  descendants(except: readonly number[] = []): Process[] {
    const own = new Set<number>();
    return below(except).map((process) => {
      const { pid, parent, session } = process;
      if (own.has(parent) || this.#sessions.has(session) || this.#known.has(keyOf(process)) || isMarked(pid))
        own.add(pid);
      const command = read(pid, "cmdline").replaceAll("\0", " ").trim() || `process ${pid}`;
      return { pid, command, session, by: own.has(pid) ? "fixture" : "other" };
    });
  }

  /** @returns The processes that were learnt of, by their keys. */
  #learn(isOwn: (process: Stat) => boolean): string {
    const ours = sessionOf(process.pid);
    const own = below().filter(isOwn);
    for (const one of own) {
      this.#known.add(keyOf(one));
      // Also what is started in it later, after this one has ended.
      if (one.session !== ours) this.#sessions.add(one.session);
    }
    return own.map(keyOf).join("\n");
  }
}

interface Stat {
  pid: number;
  parent: number;
  session: number;
  /** Since the boot, in clock ticks. */
  startedAt: number;
}

/** No two processes have both. */
const keyOf = ({ pid, startedAt }: Stat): string => `${pid} ${startedAt}`;
const isMarked = (pid: number): boolean => read(pid, "environ").split("\0").includes(`${MARK}=1`);
const sessionOf = (pid: number): number => statOf(pid)?.session ?? 0;

/** Every process below this one, a parent before its children. */
function below(except: readonly number[] = []): Stat[] {
  const children = new Map<number, Stat[]>();
  for (const pid of readdirSync("/proc").map(Number).filter(Number.isInteger)) {
    const stat = statOf(pid);
    if (stat !== null) children.set(stat.parent, [...(children.get(stat.parent) ?? []), stat]);
  }
  const under = (pid: number): Stat[] =>
    (children.get(pid) ?? []).flatMap((child) => (except.includes(child.pid) ? [] : [child, ...under(child.pid)]));
  return under(process.pid);
}

/** null: the process is gone, or a zombie, since adopted processes are not waited for. */
function statOf(pid: number): Stat | null {
  const stat = read(pid, "stat");
  // The name, in brackets, may contain anything. proc_pid_stat(5): state, ppid, pgrp, session, …, the 22nd is starttime.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", parent, , session] = fields;
  if (state === "" || state === "Z") return null;
  return { pid, parent: Number(parent), session: Number(session), startedAt: Number(fields[19]) };
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Mounts in the folders, and loop devices on files there, a phrase each. */
export function attached(folders: readonly string[]): string[] {
  const isThere = (file: string): boolean => folders.some((folder) => isWithin(file, folder));
  const mounts = readMounts().filter(({ mountPoint }) => isThere(mountPoint));
  const loops = readdirSync("/sys/block").flatMap((name) => {
    const file = backingFile(name);
    return file !== null && isThere(file) ? [`loop device /dev/${name} on ${file}`] : [];
  });
  return [...mounts.map(({ mountPoint, source }) => `mount of ${source} on ${mountPoint}`), ...loops];
}

function backingFile(device: string): string | null {
  try {
    return readFileSync(path.join("/sys/block", device, "loop/backing_file"), "utf8").trim();
  } catch {
    return null;
  }
}

/** What lies in a folder, each with what changes when its content does. A folder that is not there is empty. */
export async function contentOf(folder: string): Promise<Map<string, string>> {
  const entries = await entriesOf(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const inside = entries.filter(({ file }) => file !== folder);
  return new Map(
    inside.map(({ file, stats }) => [file, stats.isDirectory() ? "folder" : `${stats.size} ${stats.mtimeMs}`]),
  );
}

/** What is new in a folder, or was changed. */
export function news(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...after].flatMap(([file, state]) => (before.get(file) === state ? [] : [file]));
}
