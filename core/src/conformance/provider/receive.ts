import { lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Place } from "../../base/schema/types.js";
import type { Session } from "../../host/isolation/host/start-session.js";
import { checkReceiveAnswer } from "../../transaction/check-receive-answer.js";
import { checkSealAnswer } from "../../transaction/check-seal-answer.js";
import { type ConformanceCheck, CheckFailure, Skip } from "../check.js";
import { furnish, portrait } from "../tree.js";
import type { ProviderAction, ProviderScenario } from "./stage.js";

export const receiveChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "receives-contents",
    group: "The snapshot",
    title:
      "What the host puts into the places of receive is what expose shows after seal, and abort of the same transaction removes it.",
    next: "Make an empty folder for each volume that other users cannot reach. Remember it before it is made, as in `prepare`, so that `abort` finds it.",
    needs: ["snapshot-is-of-the-cut"],
    async run(stage) {
      const session = await stage.worker();
      if (!session.offers("receive")) throw new Skip("the plugin has no receive");
      const act = await stage.upTo(null, session);
      const places = await receive(stage, act, session);
      for (const { folder } of places) assertClosed(folder);
      for (const volume of stage.volumes) {
        const place = places.find(({ volumeId }) => volumeId === volume.id)?.folder ?? "";
        for (const original of volume.paths) {
          mkdirSync(path.join(place, original), { recursive: true, mode: 0o711 });
          furnish(path.join(place, original));
          writeFileSync(path.join(place, original, "received"), "of another host\n");
        }
      }
      const expected = new Map<string, Map<string, string>>();
      for (const volume of stage.volumes) {
        const place = places.find(({ volumeId }) => volumeId === volume.id)?.folder ?? "";
        for (const original of volume.paths) expected.set(original, await portrait(path.join(place, original)));
      }
      act.snapshots = await stage.rig.call(session, "seal", [act.tx]);
      checkSealAnswer(session.who, act.snapshots, act.tx.id, stage.volumes);
      await stage.assertContents(act, expected);
      await stage.remove(act);
      await stage.assertNothingListed(session, "remove of what was received");

      const undone = await stage.upTo(null, session);
      const [first] = await receive(stage, undone, session);
      if (first !== undefined) writeFileSync(path.join(first.folder, "half"), "of another host\n");
      await stage.abort(await stage.inBlankWorker(undone));
      if (first !== undefined && isThere(first.folder))
        throw new CheckFailure(`After abort, ${first.folder} is still there.`);
      stage.forget();
    },
  },
];

async function receive(
  { rig, volumes }: ProviderScenario,
  { tx }: ProviderAction,
  session: Session<"provider">,
): Promise<Place[]> {
  const places = await rig.call(session, "receive", [tx, volumes]);
  checkReceiveAnswer(session.who, places, volumes);
  return places;
}

function assertClosed(folder: string): void {
  if (readdirSync(folder).length > 0) throw new CheckFailure(`${folder} is not empty.`);
  for (let at = folder; at !== "/"; at = path.dirname(at)) if ((lstatSync(at).mode & 0o007) === 0) return;
  throw new CheckFailure(`Other users can reach ${folder} while the host fills it.`);
}

const isThere = (folder: string): boolean => lstatSync(folder, { throwIfNoEntry: false }) !== undefined;
