import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import path from "node:path";
import type { DmTarget } from "../../base/schema/types.js";
import { baseEnvironment } from "../../os/environment.js";
import {
  type ReleaseAttempt,
  type TargetHandle,
  type Backend,
  type KernelOp,
  opName,
  type ReadyOp,
  TargetFault,
  type HoldAttempt,
} from "./backend.js";
import { type MountPoint, openMountPoint, whatChanged } from "./mount-point.js";
import type { ArmTarget } from "../wire.js";

/**
 * Asks the kernel by way of `fsfreeze` (util-linux), `dmsetup` and `btrfs`: slower, and each step starts a process. For
 * machines that koffi has no build for.
 */
export function commandBackend(): Backend {
  return {
    name: "commands",
    open: async ({ target: point, identity }: ArmTarget) => {
      if (point.kind === "dm") return mapperGrip(point.name);
      if (identity === null) throw new TargetFault("nobody said which file system it is");
      return fsGrip(program("fsfreeze"), openMountPoint(point.mount, identity));
    },
    step: stepOf,
  };
}

/** The program gets our open descriptor as its fourth, so it cannot come upon another file system. */
function fsGrip(fsfreeze: string, mount: MountPoint): TargetHandle {
  const ask = (way: "-f" | "-u"): Promise<Ran> => run(fsfreeze, [way, "/proc/self/fd/3"], { fd: mount.fd });
  return {
    check: (mounts) => whatChanged(mount, mounts),
    flush: () => run("sync", ["--file-system", "/proc/self/fd/3"], { fd: mount.fd }),
    hold: async () => takenOf(await ask("-f")),
    release: async () => {
      const { ok, stderr } = await ask("-u");
      if (ok) return { is: "released" };
      return /Invalid argument/.test(stderr) ? { is: "lapsed" } : { is: "stuck", reason: stderr };
    },
  };
}

async function mapperGrip(name: string): Promise<TargetHandle> {
  const dmsetup = program("dmsetup");
  const isSuspended = async (): Promise<boolean | null> => {
    const { ok, stdout } = await run(dmsetup, ["info", "-c", "--noheadings", "-o", "suspended", name]);
    return ok ? stdout.trim() === "Suspended" : null;
  };
  if ((await isSuspended()) === null) throw new TargetFault("device-mapper knows no such device");
  return {
    check: () => null,
    flush: () => Promise.resolve(),
    hold: async (): Promise<HoldAttempt> => {
      if ((await isSuspended()) === true) return { is: "busy" };
      return takenOf(await run(dmsetup, ["suspend", name]));
    },
    release: async (): Promise<ReleaseAttempt> => {
      if ((await isSuspended()) === false) return { is: "lapsed" };
      const { ok, stderr } = await run(dmsetup, ["resume", name]);
      return ok ? { is: "released" } : { is: "stuck", reason: stderr };
    },
  };
}

function takenOf({ ok, stderr }: Ran): HoldAttempt {
  if (ok) return { is: "held" };
  return /Device or resource busy/.test(stderr) ? { is: "busy" } : { is: "refused", reason: stderr };
}

function stepOf(op: KernelOp): ReadyOp {
  const command = program(op.op === "btrfs-snapshot" ? "btrfs" : "dmsetup");
  const args = argumentsOf(op);
  const input = op.op === "dm-load" ? tableOf(op.table) : "";
  return {
    name: opName(op),
    run: async () => {
      const { ok, stderr } = await run(command, args, { input });
      return ok ? null : stderr;
    },
  };
}

function argumentsOf(op: KernelOp): string[] {
  switch (op.op) {
    case "dm-message":
      return ["message", op.device, String(op.sector ?? 0), op.message];
    case "dm-load":
      return ["load", op.device];
    case "dm-create":
      return ["create", op.device, "--notable", ...(op.uuid === undefined ? [] : ["--uuid", op.uuid])];
    case "dm-resume":
      return ["resume", op.device];
    case "dm-remove":
      return ["remove", op.device];
    case "btrfs-snapshot": {
      const readOnly = op.writable === true ? [] : ["-r"];
      return ["subvolume", "snapshot", ...readOnly, op.subvolume, path.join(op.folder, op.name)];
    }
  }
}

const tableOf = (table: readonly DmTarget[]): string =>
  table.map(({ start, length, type, params }) => `${start} ${length} ${type} ${params}\n`).join("");

const environment: Record<string, string> = { ...baseEnvironment(), LC_ALL: "C" };

/** Looked up before anything is held. */
function program(name: string): string {
  const found = environment["PATH"]?.split(":").find((folder) => isProgram(path.join(folder, name)));
  if (found === undefined) throw new TargetFault(`the program ${name} is not installed`);
  return path.join(found, name);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

interface Ran {
  ok: boolean;
  stdout: string;
  stderr: string;
}

function run(command: string, args: readonly string[], { fd = -1, input = "" } = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe", ...(fd === -1 ? [] : [fd])],
      env: environment,
      cwd: "/",
      // Away from a signal for the keeper's whole group.
      detached: true,
    });
    const text = { stdout: "", stderr: "" };
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
    child.stdin?.on("error", () => undefined).end(input);
    child.once("error", (error) => resolve({ ok: false, stdout: "", stderr: error.message }));
    child.once("close", (code) => resolve({ ok: code === 0, ...text, stderr: text.stderr.trim() }));
  });
}
