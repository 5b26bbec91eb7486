import { existsSync } from "node:fs";
import type { Context, FreezeToken, ThawReport, Transaction, Writer } from "holdstill/plugin";
import { Owed } from "#kit/owed.js";
import { PluginError } from "./errors.js";
import { allStopped, eventsOf, isSwitchedOn, switchOf, turn, Watch } from "./freezer.js";
import { type Cgroup, locate } from "./locate.js";
import type { Options } from "./options.js";
import { refuseRunning } from "./restore.js";

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
    owedBy(tx, ctx).write(group);
    const watch = new Watch(group);
    holds.set(tx.id, { group, watch });
    turn(group, "on");
    await allStopped(group, ctx.signal);
    await watch.begin();
    const args = ["-c", 'if [ -e "$1" ]; then echo 0 > "$1"; fi', "sh", switchOf(group)];
    return { compensation: { command: "sh", args } };
  },

  async thaw(tx, _token, ctx): Promise<ThawReport> {
    const hold = holds.get(tx.id);
    holds.delete(tx.id);
    const reason = hold === undefined ? "the worker that froze it has ended" : await lossOf(hold);
    thawOwed(owedBy(tx, ctx));
    return reason === undefined
      ? { uninterrupted: true, facts: { cgroup: hold?.group.name } }
      : { uninterrupted: false, reason };
  },

  async abort(tx, _token, ctx) {
    const hold = holds.get(tx.id);
    holds.delete(tx.id);
    thawOwed(owedBy(tx, ctx));
    await hold?.watch.end();
  },

  async beforeRestore(set, { options }) {
    refuseRunning(set, options);
  },
} satisfies Writer<Options>;

export default writer as Writer<Options>;

/** The group that a transaction freezes, on disk before it does: only its own freeze is ever undone. */
const owedBy = ({ id }: Transaction, { dataDir }: Context<Options>): Owed<Cgroup> => new Owed(dataDir, id);

/** Thaws what the transaction froze. If the group no longer exists, nothing is frozen. */
function thawOwed(owed: Owed<Cgroup>): void {
  const group = owed.read();
  if (group === null) return;
  if (existsSync(switchOf(group))) turn(group, "off");
  owed.settle();
}

/** Why the freeze was interrupted; undefined if it was not. */
async function lossOf({ group, watch }: Hold): Promise<string | undefined> {
  const changed = await watch.end();
  if (!existsSync(group.dir) || !eventsOf(group).populated) return `the application has ended: ${group.name} is empty`;
  if (!isSwitchedOn(group) || !eventsOf(group).frozen) return `another process thawed ${group.name}`;
  if (changed === "changed") {
    return `the state of ${group.name} changed meanwhile: it was thawed and frozen again, or a process ended`;
  }
  return undefined;
}

/** Does not freeze what another process froze: that freeze would end with ours. */
function refuseFrozen(group: Cgroup): void {
  const { populated, frozen } = eventsOf(group);
  if (isSwitchedOn(group) || frozen) {
    const hint = `Find out which program froze it, or a group above it. If none did: echo 0 > ${switchOf(group)}`;
    throw new PluginError("CGROUP_FROZEN", `${group.name} is already frozen`, hint);
  }
  if (!populated) {
    const hint = "Start the application, or leave this writer out: without processes, nothing is written.";
    throw new PluginError("CGROUP_EMPTY", `${group.name} has no process`, hint);
  }
}
