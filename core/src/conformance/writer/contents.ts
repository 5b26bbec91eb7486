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
    title: "recover repairs a snapshot that was taken while frozen.",
    next: "Open the snapshot as the application would after a crash, let it come to rest, and answer { ok, why }.",
    needs,
    async run(stage) {
      if (stage.components.every(({ repair: recovery = "none" }) => recovery === "none"))
        throw new Skip("no component asks for `repair`");
      const { act, picture } = await pictured(stage, "repair");
      const { ok, reason: why } = await stage.rig.call(act.session, "repair", [act.tx, picture]);
      if (!ok) throw new CheckFailure(`It answered that the snapshot is beyond repair: ${why ?? "no reason"}.`);
    },
  },
  {
    name: "verify",
    group,
    title: "verify finds a snapshot good that was taken while frozen, and a damaged one bad.",
    next: "Open the application on the snapshot, and look at the data itself.",
    needs,
    async run(stage) {
      const { act, picture } = await pictured(stage, "verify");
      const { ok, reason: why } = await stage.rig.call(act.session, "verify", [act.tx, picture]);
      if (!ok) throw new CheckFailure(`It answered that a good snapshot is bad: ${why ?? "no reason"}.`);
      for (const { path: tree } of picture.trees) empty(tree);
      const bad = await stage.rig.call(act.session, "verify", [act.tx, picture]).catch(() => ({ ok: false }));
      if (bad.ok) throw new CheckFailure("It found a snapshot good in which every file is empty.");
    },
  },
];

/** A sealed transaction with a copy of what is captured, made while it was frozen. */
async function pictured(
  stage: WriterScenario,
  op: "repair" | "verify",
): Promise<{ act: WriterAction; picture: Exposed }> {
  if (!stage.rig.offered.has(op)) throw new Skip(`the plugin has no ${op}`);
  const act = await stage.upTo("freeze");
  const dir = stage.rig.folder("shown", act.tx.id);
  const originals = [...new Set(stage.components.flatMap(({ paths }) => paths))];
  const trees = originals.map((original, at) => ({ original, path: path.join(dir, String(at)) }));
  for (const { original, path: copy } of trees)
    // A file that vanishes meanwhile is none of the snapshot's. The owner is kept: a server runs as nobody else.
    await stage.rig.shell(`cp -a -T -- ${quoted(original)} ${quoted(copy)}`, stage.rig.limit());
  await stage.do("thaw", act);
  await stage.do("seal", act);
  return { act, picture: { trees, readOnly: false } };
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
