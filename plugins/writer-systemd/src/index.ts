import { existsSync } from "node:fs";
import type { FreezeToken, ThawReport, Writer } from "holdstill/plugin";
import { CgroupFault } from "./errors.js";
import { allStopped, eventsOf, isSwitchedOn, switchOf, turn, Watch } from "./freezer.js";
import { type Cgroup, locate } from "./locate.js";
import type { Options } from "./options.js";
import { Owed } from "./owed.js";

interface Hold {
  readonly group: Cgroup;
  readonly watch: Watch;
}

const holds = new Map<string, Hold>();

const writer = {
  identify({ options }) {
    const { component: name, kind, paths, exclude, tolerates, level } = options;
    const { name: cgroup } = locate(options);
    const facts = { cgroup, howToRestore: "Start the application on the snapshot as after kill -9." };
    return Promise.resolve([
      { name, kind, paths, tolerates, level, facts, ...(exclude === undefined ? {} : { exclude }) },
    ]);
  },

  prepare(_tx, { options }) {
    refuseFrozen(locate(options));
    return Promise.resolve();
  },

  async freeze(tx, ctx): Promise<FreezeToken> {
    const group = locate(ctx.options);
    refuseFrozen(group);
    new Owed(ctx.dataDir, tx.id).write(group);
    const watch = new Watch(group);
    holds.set(tx.id, { group, watch });
    turn(group, "on");
    await allStopped(group, ctx.signal);
    await watch.begin();
    const args = ["-c", 'if [ -e "$1" ]; then echo 0 > "$1"; fi', "sh", switchOf(group)];
    return { compensation: { command: "sh", args } };
  },

  async thaw(tx, _token, { dataDir }): Promise<ThawReport> {
    const hold = holds.get(tx.id);
    holds.delete(tx.id);
    const seen = hold === undefined ? "the worker that froze it is gone" : await lossOf(hold);
    letGo(new Owed(dataDir, tx.id));
    return seen === undefined
      ? { uninterrupted: true, facts: { cgroup: hold?.group.name } }
      : { uninterrupted: false, reason: seen };
  },

  async abort(tx, _token, { dataDir }) {
    const hold = holds.get(tx.id);
    holds.delete(tx.id);
    letGo(new Owed(dataDir, tx.id));
    await hold?.watch.end();
  },
} satisfies Writer<Options>;

export default writer as Writer<Options>;

/** Thaws what this transaction froze. A group that is gone, with all of its processes, is thawed too. */
function letGo(owed: Owed): void {
  const group = owed.read();
  if (group === null) return;
  if (existsSync(switchOf(group))) turn(group, "off");
  owed.settle();
}

/** Why the hold was not in force throughout. */
async function lossOf({ group, watch }: Hold): Promise<string | undefined> {
  const changed = await watch.end();
  if (!existsSync(group.dir) || !eventsOf(group).populated) return `the application has ended: ${group.name} is empty`;
  if (!isSwitchedOn(group) || !eventsOf(group).frozen) return `somebody has thawed ${group.name}`;
  if (changed === "changed") {
    return `the state of ${group.name} changed meanwhile: it was thawed and frozen again, a process came in, or the last one ended`;
  }
  return undefined;
}

/** A freeze of somebody else's is left alone: it would end with ours. */
function refuseFrozen(group: Cgroup): void {
  const { populated, frozen } = eventsOf(group);
  if (isSwitchedOn(group) || frozen) {
    const hint = `See who froze it, or a group above it; if nobody: echo 0 > ${switchOf(group)}`;
    throw new CgroupFault("CGROUP_FROZEN", `${group.name} is frozen already`, hint);
  }
  if (!populated) {
    const hint = "Start the application, or leave this writer out: without processes nothing writes.";
    throw new CgroupFault("CGROUP_EMPTY", `there is no process in ${group.name}`, hint);
  }
}
