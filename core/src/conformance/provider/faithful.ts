import { execFileSync } from "node:child_process";
import path from "node:path";
import { installedProgram } from "../../os/path/programs.js";
import type { Exposed, Snapshot } from "../../base/schema/types.js";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { furnishMetadata, metadataOf, OTHER } from "../metadata.js";
import { furnish, OURS, treeDifferences } from "../tree.js";
import type { ProviderAction, ProviderScenario } from "./stage.js";

const group = "The snapshot";
const needs = ["snapshot-is-of-the-cut"];

export const faithfulChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "keeps-metadata",
    group,
    title:
      "The contents have the owners, modes, times, hard links, attributes, ACLs, holes, fifos, and names of the originals.",
    next: "Copy as `cp --archive --sparse=auto` does, as root, or take a snapshot of the storage: a database does not start on files of another owner.",
    needs,
    async run(stage) {
      const cannot = new Set<string>();
      try {
        for (const target of stage.paths) for (const one of furnishMetadata(target)) cannot.add(one);
        const expected = new Map<string, Map<string, string>>();
        for (const target of stage.paths) expected.set(target, await metadataOf(target));
        const act = await stage.upTo("seal");
        for (const access of ["read-only", "scratch"] as const)
          await withTrees(stage, act, access, async ({ original, path: tree }) => {
            const found = treeDifferences(expected.get(original) ?? new Map(), await metadataOf(tree));
            if (found.length > 0)
              throw new CheckFailure(`In the ${access} contents of ${original}: ${found.slice(0, 3).join("; ")}.`);
          });
        await stage.remove(act);
      } finally {
        for (const target of stage.paths) furnish(target);
      }
      return cannot.size === 0
        ? undefined
        : `Not tested, because the targets cannot have them: ${[...cannot].join(", ")}.`;
    },
  },
  {
    name: "readable-as-another-user",
    group,
    title: "An application that runs as another user can read its files in the contents.",
    next: "Give the folders above the contents a mode that lets other users pass, such as 0711. `verify` starts the application as its own user.",
    needs,
    async run(stage) {
      if (process.geteuid?.() !== 0) throw new Skip("it needs root, to be another user");
      const closed = stage.paths.find((target) => !canRead(target));
      if (closed !== undefined) throw new Skip(`another user cannot read below ${closed} either`);
      const act = await stage.upTo("seal");
      for (const access of ["read-only", "scratch"] as const)
        await withTrees(stage, act, access, ({ original, path: tree }) => {
          if (!canRead(tree))
            throw new CheckFailure(`User ${OTHER} cannot read the contents of ${original} in ${tree}.`);
        });
      await stage.remove(act);
    },
  },
  {
    name: "created-at",
    group,
    title: "createdAt of a snapshot is the time at which it was taken, and list returns the same.",
    next: "Store the time of the cut with the snapshot, as ISO 8601 in UTC. Retention and `recover` depend on it.",
    needs,
    async run(stage) {
      const begun = Date.now();
      const act = await stage.upTo("seal");
      const ended = Date.now();
      const listed = await stage.list(act.session);
      for (const snapshot of act.snapshots) {
        assertTime(snapshot, begun, ended);
        const again = listed.find(({ id }) => id === snapshot.id);
        if (again !== undefined && Date.parse(again.createdAt) !== Date.parse(snapshot.createdAt))
          throw new CheckFailure(
            `seal returned ${snapshot.createdAt} for ${snapshot.id}, and list ${again.createdAt}.`,
          );
      }
      await stage.remove(act);
    },
  },
];

/** How far the clock of a storage may be off, ms. */
const CLOCK_MS = 600_000;

function assertTime({ id, createdAt }: Snapshot, begun: number, ended: number): void {
  const at = Date.parse(createdAt);
  if (at >= begun - CLOCK_MS && at <= ended + CLOCK_MS) return;
  throw new CheckFailure(`createdAt of ${id} is ${createdAt}, and it was taken at ${new Date(ended).toISOString()}.`);
}

async function withTrees(
  stage: ProviderScenario,
  { session, snapshots }: ProviderAction,
  access: "read-only" | "scratch",
  look: (tree: Exposed["trees"][number]) => Promise<void> | void,
): Promise<void> {
  for (const snapshot of snapshots) {
    const { trees } = await stage.expose(session, snapshot, access);
    for (const tree of trees) await look(tree);
    await stage.unexpose(session, snapshot);
  }
}

/** What every user may read in a target, as a user without rights of its own. */
function canRead(tree: string): boolean {
  try {
    const file = path.join(tree, OURS, "inner folder", "large");
    execFileSync(installedProgram("cat") ?? "/bin/cat", ["--", file], { uid: OTHER, gid: OTHER, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
