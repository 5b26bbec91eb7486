import type { Listed } from "../../base/schema/types.js";
import { isHoldstillError } from "../../base/errors/error.js";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { runOrFail } from "../fixture-commands.js";
import type { ProviderAction, ProviderScenario } from "./stage.js";

export const unseenChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "not-seen-is-not-gone",
    group: "Storage that is away",
    title: "While the storage is away, remove fails, and list does not claim that the snapshots are gone.",
    next: "Throw an error with the code `UNREACHABLE` if the storage cannot be seen, or return a partial list, { snapshots, unseen }. What is not seen may still exist.",
    needs: ["transaction"],
    async run(stage) {
      let act = await stage.upTo("seal");
      await whileAway(stage, async () => {
        await assertNotGone(stage, act, "the same worker");
        act = await stage.inBlankWorker(act);
        await assertNotGone(stage, act, "a new worker");
      });
      const listed = await stage.listed(act.session);
      const lost = act.snapshots.filter(({ id }) => !listed.includes(id));
      if (lost.length > 0)
        throw new CheckFailure(`When the storage was back, list did not have ${lost.map(({ id }) => id).join(", ")}.`);
      await stage.remove(act);
      await stage.assertNothingListed(act.session, "remove");
    },
  },
  {
    name: "not-seen-is-not-unknown",
    group: "Storage that is away",
    title: "While the storage is away, expose fails as unreachable, and unexpose does not call the snapshot unknown.",
    next: "If the snapshot is not found, check that the storage is there before you throw any other code than `UNREACHABLE`. unexpose may succeed if nothing is exposed.",
    needs: ["transaction"],
    async run(stage) {
      const act = await stage.upTo("seal");
      await whileAway(stage, async () => {
        await assertNotUnknown(stage, act);
        await assertNotUnknown(stage, await stage.inBlankWorker(act));
      });
      await stage.remove({ ...act, session: await stage.worker() });
    },
  },
];

/** Takes the storage away meanwhile, and gives it back in any case. @throws CheckFailure, Skip */
async function whileAway({ rig }: ProviderScenario, look: () => Promise<void>): Promise<void> {
  const { takeAway, giveBack } = rig.fixture;
  if (takeAway === undefined || giveBack === undefined) throw new Skip("conformance.json has no `takeAway`");
  await runOrFail(rig, "takeAway", takeAway);
  try {
    await look();
  } finally {
    await runOrFail(rig, "giveBack", giveBack);
  }
}

async function assertNotUnknown(stage: ProviderScenario, { session, snapshots }: ProviderAction): Promise<void> {
  for (const snapshot of snapshots) {
    const exposed = await stage.expose(session, snapshot).catch((error: unknown) => assertUnreachable("expose", error));
    if (exposed !== false)
      throw new CheckFailure(`While the storage was away, expose returned ${JSON.stringify(exposed)}.`);
    await stage.unexpose(session, snapshot).catch((error: unknown) => assertUnreachable("unexpose", error));
  }
}

async function assertNotGone(
  stage: ProviderScenario,
  { session, snapshots }: ProviderAction,
  where: string,
): Promise<void> {
  const listed = await stage.rig.call(session, "list", []).catch((error: unknown) => assertUnreachable("list", error));
  for (const snapshot of snapshots) {
    if (listed !== false && isCalledGone(listed, snapshot.id))
      throw new CheckFailure(
        `While the storage was away, list of ${where} claimed that ${snapshot.id} is gone or lost.`,
      );
    const removed = await stage.rig.call(session, "remove", [snapshot]).then(
      () => true,
      (error: unknown) => assertUnreachable("remove", error),
    );
    if (removed) throw new CheckFailure(`While the storage was away, remove of ${where} succeeded for ${snapshot.id}.`);
  }
}

/** A partial list may leave out what it could not see, but not call it lost. */
function isCalledGone(listed: Listed, id: string): boolean {
  const isPartial = !Array.isArray(listed);
  const one = (isPartial ? listed.snapshots : listed).find((snapshot) => snapshot.id === id);
  return one === undefined ? !isPartial : one.lost !== undefined;
}

/** The host knows by its code that the storage is away. With any other error, the plugin itself failed. */
function assertUnreachable(call: string, error: unknown): false {
  if (isHoldstillError(error) && error.code === "E_UNREACHABLE") return false;
  const seen = error instanceof Error ? error.message : String(error);
  throw new CheckFailure(`While the storage was away, ${call} failed without the code \`UNREACHABLE\`: ${seen}`);
}
