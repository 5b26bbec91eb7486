import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../../host/manifest/folder.js";
import { ownVersion } from "../../installation.js";
import type { SnapshotSet } from "../../base/schema/types.js";
import type { WriterTransaction } from "../../host/contract/context.js";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { runOrFail } from "../fixture-commands.js";
import type { WriterScenario } from "./stage.js";

const group = "A transaction";

export const orderChecks: readonly ConformanceCheck<WriterScenario>[] = [
  {
    name: "transaction",
    group,
    title: "prepare, freeze, thaw, and seal succeed, and the freeze was uninterrupted.",
    next: "Make each call return in time, with a result that the contract describes.",
    needs: ["paths-exist"],
    async run(stage) {
      const act = await stage.upTo("seal");
      await stage.assertFree("a transaction");
      if (act.tx.cut === "atomic") return;
      // A cut of one instant may be asked for wherever a provider can make one.
      const atomic = { session: await stage.worker(), tx: stage.transaction("atomic"), token: null };
      for (const step of ["prepare", "freeze", "thaw", "seal"] as const) await stage.do(step, atomic);
    },
  },
  {
    name: "freeze-holds",
    group,
    title: "The application's data cannot be changed while it is frozen, but before and after.",
    next: "Let freeze return only when the application has stopped. Keep the lock or session in the worker, not in the call.",
    needs: ["transaction"],
    async run(stage) {
      if (await stage.isHeld("free")) throw new CheckFailure("The probe fails although nothing is frozen.");
      const act = await stage.upTo("freeze");
      if (!(await stage.isHeld("held")))
        throw new CheckFailure("While the application was frozen, the probe changed its data.");
      await stage.do("thaw", act);
      if (await stage.isHeld("free")) throw new CheckFailure("After thaw, the probe still fails.");
    },
  },
  {
    name: "thaw-without-freeze",
    group,
    title: "thaw without a freeze does not report an uninterrupted freeze.",
    next: "Let thaw check what freeze left in the application. If it is missing, return { uninterrupted: false, reason }.",
    needs: ["transaction"],
    async run(stage) {
      const act = await stage.upTo("freeze");
      await stage.do("thaw", act);
      const token = act.token ?? {};
      const never = { session: await stage.worker(), tx: stage.transaction() };
      const undone = await stage.upTo("freeze");
      await stage.abort(undone);
      for (const [what, { session, tx }, given] of [
        ["nothing was frozen in this worker", never, token],
        ["abort had undone the freeze", undone, undone.token ?? {}],
      ] as const) {
        const held = await stage.rig.call(session, "thaw", [tx, given]).then(
          (report) => report.uninterrupted,
          () => false,
        );
        if (held) throw new CheckFailure(`thaw returned { uninterrupted: true } although ${what}.`);
      }
    },
  },
  {
    name: "thaw-tells-the-truth",
    group,
    title: "thaw reports a freeze that was lost.",
    next: "Let thaw prove that the freeze was in force to the end: the same session, process, or lock.",
    needs: ["transaction"],
    async run(stage) {
      const { loseFreeze } = stage.rig.fixture;
      if (loseFreeze === undefined) throw new Skip("conformance.json has no `loseFreeze`");
      const act = await stage.upTo("freeze");
      await runOrFail(stage.rig, "loseFreeze", loseFreeze);
      const held = await stage.rig.call(act.session, "thaw", [act.tx, act.token ?? {}]).then(
        (report) => report.uninterrupted,
        () => false,
      );
      if (held)
        throw new CheckFailure("thaw returned { uninterrupted: true } although loseFreeze had ended the freeze.");
      await stage.abort(act);
      await stage.assertFree("a lost freeze and abort");
    },
  },
  {
    name: "sidecar-is-whole",
    group,
    title: "The sidecar has the files that seal names, and no others.",
    next: "Write plain files to tx.sidecarDir, and return them from seal in `files`.",
    needs: ["transaction"],
    async run(stage) {
      if (!stage.rig.offered.has("seal")) throw new Skip("the plugin has no seal");
      const act = await stage.upTo("thaw");
      const { sidecarDir } = act.tx;
      const { files } = await stage.rig.call(act.session, "seal", [act.tx]);
      const missing = files.filter((file) => !isPlainFile(path.join(sidecarDir, file)));
      if (missing.length > 0) throw new CheckFailure(`Named, but not a plain file: ${missing.join(", ")}.`);
      const there = (await entriesOf(sidecarDir)).filter(({ stats }) => !stats.isDirectory());
      const extra = there.map(({ file }) => path.relative(sidecarDir, file)).filter((file) => !files.includes(file));
      if (extra.length > 0) throw new CheckFailure(`Written, but not named: ${extra.join(", ")}.`);
    },
  },
  {
    name: "complete",
    group,
    title: "complete accepts a success and a failure of the backup.",
    next: "The backup has ended by then. If there is nothing to do, do nothing.",
    needs: ["transaction"],
    async run(stage) {
      if (!stage.rig.offered.has("complete")) throw new Skip("the plugin has no complete");
      const session = await stage.worker();
      const set = setOf(stage, stage.transaction());
      for (const succeeded of [true, false])
        await stage.rig.call(session, "complete", [set, { succeeded, type: "copy" }]);
    },
  },
];

function isPlainFile(file: string): boolean {
  return readdirSync(path.dirname(file)).includes(path.basename(file)) && lstatSync(file).isFile();
}

/** The record of a set with this writer alone. */
function setOf({ components, rig }: WriterScenario, { id, cut }: WriterTransaction): SnapshotSet {
  return {
    recordVersion: 1,
    id,
    createdAt: new Date().toISOString(),
    host: "localhost",
    holdstill: ownVersion(),
    tags: {},
    targets: components.flatMap(({ paths }) => paths),
    cut,
    asked: "application",
    consistency: "application",
    frozenMs: 1,
    components: components.map((component) => ({
      writer: rig.who.instance,
      component,
      consistency: "application" as const,
      volumes: [],
    })),
    writers: [],
    volumes: [],
    snapshots: [],
    timeline: [],
  };
}
