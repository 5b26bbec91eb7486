import { readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import path from "node:path";
import type { Exposed } from "../../base/schema/types.js";
import { quoted } from "../../base/trust/ownership.js";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import type { WriterAction, WriterScenario } from "./stage.js";

const group = "The snapshot";
const needs = ["transaction"];

export const contentsChecks: readonly ConformanceCheck<WriterScenario>[] = [
  {
    name: "repair",
    group,
    title: "repair repairs a snapshot that was taken while frozen.",
    next: "Open the snapshot as the application would after a crash, let it finish, and return { ok, reason }.",
    needs,
    async run(stage) {
      if (stage.components.every(({ repair = "none" }) => repair === "none"))
        throw new Skip("no component has `repair`");
      const { act, exposed } = await copiedContents(stage, "repair");
      const { ok, reason } = await stage.rig.call(act.session, "repair", [act.tx, exposed]);
      if (!ok) throw new CheckFailure(`It reported that the snapshot cannot be repaired: ${reason ?? "no reason"}.`);
    },
  },
  {
    name: "verify",
    group,
    title: "verify accepts a snapshot that was taken while frozen, and rejects a damaged one.",
    next: "Start the application on the snapshot, and check the data itself.",
    needs,
    async run(stage) {
      const { act, exposed } = await copiedContents(stage, "verify");
      const report = await stage.rig.call(act.session, "verify", [act.tx, exposed]);
      if (report.result !== "opens") throw new CheckFailure(`It rejected a good snapshot: ${report.reason}.`);
      for (const { path: tree } of exposed.trees) empty(tree);
      const bad = await stage.rig.call(act.session, "verify", [act.tx, exposed]).catch(() => undefined);
      if (bad?.result === "opens") throw new CheckFailure("It accepted a snapshot in which every file is empty.");
    },
  },
];

/** A sealed transaction with a copy of what is captured, made while it was frozen. */
async function copiedContents(
  stage: WriterScenario,
  op: "repair" | "verify",
): Promise<{ act: WriterAction; exposed: Exposed }> {
  if (!stage.rig.offered.has(op)) throw new Skip(`the plugin has no ${op}`);
  const act = await stage.upTo("freeze");
  const dir = stage.rig.folder("shown", act.tx.id);
  const originals = [...new Set(stage.components.flatMap(({ paths }) => paths))];
  const trees = originals.map((original, at) => ({ original, path: path.join(dir, String(at)) }));
  for (const { original, path: copy } of trees)
    // A file that disappears while it is copied does not matter. The owner is kept, because a server runs as its owner.
    await stage.rig.shell(`cp -a -T -- ${quoted(original)} ${quoted(copy)}`, stage.rig.limit());
  await stage.do("thaw", act);
  await stage.do("seal", act);
  return { act, exposed: { trees, readOnly: false } };
}

function empty(tree: string): void {
  if (statSync(tree).isFile()) return truncateSync(tree);
  for (const entry of readdirSync(tree, { withFileTypes: true })) {
    const file = path.join(tree, entry.name);
    if (entry.isDirectory()) empty(file);
    else if (entry.isFile()) truncateSync(file);
    else rmSync(file, { force: true });
  }
}
