import type { Context, ExecResult } from "holdstill/plugin";
import { findByName, findByUuid } from "./devices.js";
import type { Label } from "./names.js";
import { Refusal } from "./errors.js";

/** Size of a chunk, sectors: what is copied before it is overwritten. dmsetup's and LVM's own choice for snapshots. */
export const CHUNK = 8;

/** One target of a table, `params` as the kernel prints them. */
export interface Target {
  readonly start: number;
  readonly length: number;
  readonly type: string;
  readonly params: string;
}

/** How a snapshot's target stands (drivers/md/dm-snap.c, snapshot_status). */
export type Fill =
  | { state: "valid"; usedSectors: number; totalSectors: number; metadataSectors: number }
  | { state: "invalid"; why: string };

/**
 * Device-mapper, by way of dmsetup. Tables go through its standard input: that of a crypt device has a key in it, which nobody is
 * to see in a list of processes.
 */
export class Mapper {
  readonly #ctx: Pick<Context, "exec">;

  constructor(ctx: Pick<Context, "exec">) {
    this.#ctx = ctx;
  }

  /** With keys, to be loaded again; empty where there is none in that slot. */
  async table(name: string, slot: "live" | "inactive" = "live"): Promise<Target[]> {
    const text = await this.#run(["table", "--showkeys", ...(slot === "inactive" ? ["--inactive"] : []), "--", name]);
    return text.split("\n").flatMap((line) => parseTarget(line) ?? []);
  }

  async fill(name: string): Promise<Fill> {
    const text = await this.#run(["status", "--", name]);
    const { params = "" } = parseTarget(text.trim()) ?? {};
    const [, used, total, metadata] = /^(\d+)\/(\d+) (\d+)$/.exec(params.trim()) ?? [];
    if (used === undefined) return { state: "invalid", why: params.trim() || "no table" };
    return {
      state: "valid",
      usedSectors: Number(used),
      totalSectors: Number(total),
      metadataSectors: Number(metadata),
    };
  }

  /** Makes a device; without a table it does nothing yet. One that is there already is left as it is. */
  async create({ name, uuid }: Label, table: readonly Target[] = []): Promise<void> {
    if (findByUuid(uuid) !== undefined) return;
    if (findByName(name) !== undefined) throw taken(name);
    const what = ["create", "--noudevrules", "--uuid", uuid, ...(table.length === 0 ? ["--notable"] : []), "--", name];
    await this.#run(what, format(table));
  }

  /** Into the inactive slot: it takes effect with resume. */
  async load(name: string, table: readonly Target[]): Promise<void> {
    await this.#run(["load", "--", name], format(table));
  }

  /** Empties the inactive slot. */
  async clear(name: string): Promise<void> {
    await this.#run(["clear", "--", name]);
  }

  /**
   * Makes the loaded table the live one. The kernel suspends, swaps and resumes in one call (dm-ioctl.c, do_resume), so no end
   * of ours can leave the device suspended.
   */
  async resume(name: string): Promise<void> {
    await this.#run(["resume", "--noflush", "--nolockfs", "--noudevrules", "--", name]);
  }

  /**
   * By its UUID, so that it is ours; idempotent. Tries again for some seconds while something like udev has a look at it. A device
   * that never had a table is not in /sys (dm.c, dm_setup_md_queue), so the kernel is asked.
   */
  async remove({ uuid }: Label): Promise<void> {
    const { exitCode, stderr } = await this.#exec(["remove", "--retry", "--noudevrules", "--uuid", uuid]);
    if (exitCode !== 0 && !/does not exist|No such device/.test(stderr)) throw failed("remove", uuid, stderr);
  }

  async #run(args: readonly string[], input = ""): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#exec(args, input);
    if (exitCode === 0) return stdout;
    throw failed(args[0] ?? "", args.at(-1) ?? "", stderr);
  }

  #exec(args: readonly string[], input = ""): Promise<ExecResult> {
    return this.#ctx.exec("dmsetup", ["--manglename", "none", ...args], input === "" ? {} : { input });
  }
}

function failed(verb: string, device: string, stderr: string): Refusal {
  const busy = /resource busy/i.test(stderr);
  return new Refusal(
    busy ? "IN_USE" : "MAPPER",
    `dmsetup ${verb} of ${device} failed: ${stderr.trim().replaceAll("\n", "; ")}`,
    busy ? "See with `lsblk` and `fuser -vm` who uses it." : "Look at the kernel's log: `dmesg | tail`.",
  );
}

/** A device of that name which has not our UUID is somebody else's. */
function taken(name: string): Refusal {
  const message = `There is a device ${name} already, and it is not ours.`;
  return new Refusal("NAME_TAKEN", message, `Look at it with \`dmsetup info ${name}\`, and rename it.`);
}

/** The whole device is one target. */
export function whole(length: number, type: string, params: string): Target[] {
  return [{ start: 0, length, type, params }];
}

export function lengthOf(table: readonly Target[]): number {
  return table.reduce((sum, { length }) => sum + length, 0);
}

export function sameTable(one: readonly Target[], other: readonly Target[]): boolean {
  return format(one) === format(other);
}

function format(table: readonly Target[]): string {
  return table.map(({ start, length, type, params }) => `${start} ${length} ${type} ${params}\n`).join("");
}

function parseTarget(line: string): Target | undefined {
  const [, start, length, type, params] = /^(\d+) (\d+) (\S+) ?(.*)$/.exec(line) ?? [];
  if (type === undefined || params === undefined) return undefined;
  return { start: Number(start), length: Number(length), type, params: params.trim() };
}
