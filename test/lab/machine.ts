import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atExit } from "../support/process/at-exit.js";
import { scratch } from "../support/storage/scratch.js";
import { memory, type Kernel } from "./kernels.js";

/** Disks of a guest, /dev/ubda and on: sparse files, so that they take what the guest writes. */
const disks = ["ubd0", "ubd1", "ubd2", "ubd3"];
const diskSize = 1024 ** 3;

/**
 * Runs its arguments, and kills the whole process group when descriptor 4 comes to its end: that is, when this process has died, no
 * matter how. No core dump: a kernel that panics would write all of its memory.
 */
const guarded = `ulimit -c 0; ({ read -r _; kill -s KILL -- "-$$"; } <&4 &); exec env "$@" 4<&-`;

export const root = path.resolve(import.meta.dirname, "../../..");

type Channel = "ignore" | "inherit" | "pipe";

/** A guest's processes and its folder with job and disks. */
export interface Machine {
  readonly process: ChildProcess;
  /** Waits, but not for long, for a guest that is switching itself off. */
  readonly off: () => Promise<void>;
  /** What each of the guest's processes does on the host, one a line: its id, state, name, and where in the kernel it waits. */
  readonly processes: () => string[];
  /** Ends every process of the guest, and removes the folder; may come twice. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a user-mode kernel with empty disks, or with those that lie in `diskFolder` since an earlier one. `assignments` are variables for init.sh; `consoles` the kernel's arguments that tie lines of the guest
 * to descriptors of `stdio`.
 */
export function startMachine(
  kernel: Kernel,
  assignments: Record<string, string>,
  consoles: readonly string[],
  stdio: readonly [Channel, Channel, Channel, Channel],
  diskFolder?: string,
): Machine {
  const folder = scratch("lab");
  const diskAt = (disk: string): string => path.join(diskFolder ?? folder.path, disk);
  const job = { LAB_ROOT: root, LAB_NODE: process.execPath, LAB_MODULES: kernel.modules, LAB_LVM: kernel.lvm ?? "" };
  const lines = Object.entries({ ...job, ...assignments }).map(([name, value]) => `${name}=${quoted(value)}\n`);
  writeFileSync(path.join(folder.path, "job"), lines.join(""));
  const init = path.join(folder.path, "init");
  copyFileSync(path.join(root, "test/lab/init.sh"), init);
  chmodSync(init, 0o755);
  for (const disk of disks) {
    if (existsSync(diskAt(disk))) continue;
    writeFileSync(diskAt(disk), "");
    truncateSync(diskAt(disk), diskSize);
  }
  const args = [
    `mem=${memory}M`,
    "root=/dev/root",
    "rootfstype=hostfs",
    "rootflags=/",
    "ro",
    "quiet",
    // The sockets of the kernel go into our folder, not into the user's home.
    `init=${init}`,
    `HOLDSTILL_LAB=${folder.path}`,
    `uml_dir=${folder.path}/`,
    "umid=guest",
    ...kernel.args,
    ...disks.map((disk) => `${disk}=${diskAt(disk)}`),
    "con=null",
    "ssl=null",
    ...consoles,
  ];
  // detached: a session and a process group of its own, by which all its processes are found.
  const preload = kernel.preload === undefined ? [] : [`LD_PRELOAD=${kernel.preload}`];
  const child = spawn("/bin/sh", ["-c", guarded, "sh", ...preload, kernel.binary, ...args], {
    stdio: [...stdio, "pipe"],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const killAll = (): void => killSession(child);
  const callOff = atExit(killAll);
  const stop = async (): Promise<void> => {
    killAll();
    await exited;
    for (let left = 100; left > 0 && sessionOf(child.pid).length > 0; left -= 1) await sleep(20);
    callOff();
    folder.remove();
  };
  const off = async (): Promise<void> => {
    const tooLong = new AbortController();
    await Promise.race([exited, sleep(5000, undefined, { signal: tooLong.signal })]);
    tooLong.abort();
  };
  const processes = (): string[] =>
    sessionOf(child.pid).map((pid) => {
      const [state, , , , , , , , , , , user, system] = statOf(pid);
      return [pid, state, textOf(`/proc/${pid}/comm`), `${user}+${system} ticks`, textOf(`/proc/${pid}/wchan`)].join(
        " ",
      );
    });
  return { process: child, off, processes, stop };
}

/**
 * The kernel's own process runs each process of the guest under ptrace(2), as one more process of the host. All get the signal
 * at once, which a process group is for: those whose tracer dies first run on, on the host. Once the kernel's process has ended, its
 * group may be another one's.
 */
function killSession({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) kill(-pid);
  for (const left of sessionOf(pid)) kill(left);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** All that live in the session, zombies left out: /proc/PID/stat, fields 3 (state) and 6 (session), proc(5). */
function sessionOf(leader: number | undefined): number[] {
  if (leader === undefined) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const fields = statOf(pid);
      return fields[0] !== "Z" && Number(fields[3]) === leader;
    });
}

function statOf(pid: number): string[] {
  const text = textOf(`/proc/${pid}/stat`);
  return text === "" ? [] : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Nothing where the process has ended meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

/** One word for a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
