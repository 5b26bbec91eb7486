import type { Context } from "holdstill/plugin";
import { dmsetup, formatTable, parseTable, type Target } from "#kit/dmsetup.js";
import { findByName, findByUuid } from "#kit/mapped-devices.js";
import { messageOf } from "#kit/plugin-error.js";
import { removeName } from "#kit/shown-device.js";
import { PluginError } from "./errors.js";
import type { Label } from "./names.js";

/** Size of a chunk, sectors: what is copied before it is overwritten. dmsetup and LVM use the same for snapshots. */
export const CHUNK = 8;

/** How full a snapshot's store is (drivers/md/dm-snap.c, snapshot_status). */
export type Usage =
  | { state: "valid"; usedSectors: number; totalSectors: number; metadataSectors: number }
  | { state: "invalid"; reason: string };

/** Device-mapper, through dmsetup. */
export class Mapper {
  readonly #ctx: Pick<Context, "exec">;

  constructor(ctx: Pick<Context, "exec">) {
    this.#ctx = ctx;
  }

  /** With keys, so that it can be loaded again; empty if there is none in that slot. */
  async table(name: string, slot: "live" | "inactive" = "live"): Promise<Target[]> {
    const inactive = slot === "inactive" ? ["--inactive"] : [];
    return parseTable(await this.#run(["table", "--showkeys", ...inactive, "--", name]));
  }

  async usage(name: string): Promise<Usage> {
    const [{ params } = { params: "" }] = parseTable(await this.#run(["status", "--", name]));
    const [, used, total, metadata] = /^(\d+)\/(\d+) (\d+)$/.exec(params) ?? [];
    if (used === undefined) return { state: "invalid", reason: params || "no table" };
    return {
      state: "valid",
      usedSectors: Number(used),
      totalSectors: Number(total),
      metadataSectors: Number(metadata),
    };
  }

  /** How many have it open: processes, mounts, and devices on it. */
  async openCount(name: string): Promise<number> {
    return Number((await this.#run(["info", "-c", "--noheadings", "-o", "open", "--", name])).trim());
  }

  /** Makes a device; without a table it does nothing yet. If it exists already, it is left as it is. */
  async create(
    { name, uuid }: Label,
    table: readonly Target[] = [],
    access: "read-only" | "read-write" = "read-write",
  ): Promise<void> {
    if (findByUuid(uuid) !== undefined) return;
    if (findByName(name) !== undefined) throw taken(name);
    const noTable = table.length === 0 ? ["--notable"] : [];
    const readOnly = access === "read-only" ? ["--readonly"] : [];
    await this.#run(
      ["create", "--noudevrules", "--uuid", uuid, ...noTable, ...readOnly, "--", name],
      formatTable(table),
    );
  }

  /** Into the inactive slot: it takes effect with resume. */
  async load(name: string, table: readonly Target[]): Promise<void> {
    await this.#run(["load", "--", name], formatTable(table));
  }

  /** Empties the inactive slot. */
  async clear(name: string): Promise<void> {
    await this.#run(["clear", "--", name]);
  }

  /**
   * Makes the loaded table the live one. The kernel suspends, swaps, and resumes in one call (dm-ioctl.c, do_resume): if this process
   * ends, it cannot leave the device suspended.
   */
  async resume(name: string): Promise<void> {
    await this.#run(["resume", "--noflush", "--nolockfs", "--noudevrules", "--", name]);
  }

  /**
   * By its UUID, so that it is ours; idempotent. Tries again for some seconds while something like udev has the device open. A device
   * that never had a table is not in /sys (dm.c, dm_setup_md_queue), so the kernel is asked.
   */
  async remove({ name, uuid }: Label): Promise<void> {
    try {
      await this.#run(["remove", "--retry", "--noudevrules", "--uuid", uuid]);
    } catch (error) {
      if (!/does not exist|No such device/.test(messageOf(error))) throw error;
    }
    if (findByName(name) === undefined) await removeName(name, this.#ctx);
  }

  #run(args: readonly string[], input = ""): Promise<string> {
    return dmsetup(this.#ctx, ["--manglename", "none", ...args], input);
  }
}

/** A device of that name without our UUID was made by another program. */
function taken(name: string): PluginError {
  const message = `The device ${name} exists already, and holdstill did not make it.`;
  return new PluginError("NAME_TAKEN", message, `\`dmsetup info ${name}\` describes it. Rename it.`);
}

/** The whole device is one target. */
export function whole(length: number, type: string, params: string): Target[] {
  return [{ start: 0, length, type, params }];
}

export function sameTable(one: readonly Target[], other: readonly Target[]): boolean {
  return formatTable(one) === formatTable(other);
}
