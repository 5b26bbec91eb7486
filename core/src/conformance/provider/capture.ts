import { isDeepStrictEqual } from "node:util";
import { volumeKind, volumeName } from "../../base/display/volume-name.js";
import { type ConformanceCheck, CheckFailure } from "../check.js";
import type { ProviderScenario } from "./stage.js";

export const captureChecks: readonly ConformanceCheck<ProviderScenario>[] = [
  {
    name: "targets",
    group: "What it captures",
    title: "The folders to be captured exist.",
    next: "Name folders in `targets` of conformance.json, on a volume that the provider captures, and make them in `setup`.",
    needs: ["loads"],
    run(stage) {
      if (stage.rig.fixture.targets === undefined) throw new CheckFailure("conformance.json has no `targets`.");
      try {
        stage.lookAtTargets();
      } catch (error) {
        throw new CheckFailure(error instanceof Error ? error.message : String(error));
      }
    },
  },
  {
    name: "match",
    group: "What it captures",
    title: "match accepts the volumes of the targets, and returns the same result twice.",
    next: "Derive the result only from the volume and the storage. Return null only for a volume that the plugin cannot capture.",
    needs: ["targets"],
    async run(stage) {
      const session = await stage.worker();
      const answers = [];
      // As plan asks: of all volumes at once.
      const asked = stage.volumes.map(
        async (volume) => [volume, await stage.rig.call(session, "match", [volume])] as const,
      );
      for (const [volume, first] of await Promise.all(asked)) {
        const second = await stage.rig.call(session, "match", [volume]);
        // How much is free may change at any time.
        if (!isDeepStrictEqual({ ...first, space: null }, { ...second, space: null }))
          throw new CheckFailure(
            `For ${volume.id} it first returned ${JSON.stringify(first)}, then ${JSON.stringify(second)}.`,
          );
        if (first === null)
          throw new CheckFailure(
            `match returned null for ${volumeName(volume)} (${volume.id}), ${volumeKind(volume)}.`,
          );
        answers.push(first);
      }
      stage.qualities = answers;
    },
  },
  {
    name: "list",
    group: "What it captures",
    title: "list returns the same result twice.",
    next: "Read the storage itself: `recover` compares the result with the catalog.",
    needs: ["match"],
    async run(stage) {
      const session = await stage.worker();
      const first = (await stage.list(session)).map(({ id }) => id);
      const second = (await stage.list(session)).map(({ id }) => id);
      if (!isDeepStrictEqual(first.toSorted(), second.toSorted()))
        throw new CheckFailure(
          `First it listed ${first.join(", ") || "nothing"}, then ${second.join(", ") || "nothing"}.`,
        );
      stage.before = first;
    },
  },
  {
    name: "transaction",
    group: "A transaction",
    title: "prepare, the critical section, seal, and remove succeed.",
    next: "Make each call return in time, with a result that the contract describes. seal returns a snapshot for each volume.",
    needs: ["list"],
    async run(stage) {
      await stage.remove(await stage.upTo("seal"));
    },
  },
  {
    name: "list-tells-the-truth",
    group: "A transaction",
    title: "list has each sealed snapshot until it is removed.",
    next: "Read the storage itself, not notes that may be out of date.",
    needs: ["transaction"],
    async run(stage) {
      const act = await stage.upTo("seal");
      const all = await stage.list(act.session);
      for (const { id, setId, volumeId } of act.snapshots) {
        const found = all.find((snapshot) => snapshot.id === id);
        if (found === undefined) throw new CheckFailure(`seal returned ${id}, but list does not have it.`);
        if (found.setId !== setId || found.volumeId !== volumeId)
          throw new CheckFailure(
            `list has ${id} with set ${found.setId} and volume ${found.volumeId}, not ${setId} and ${volumeId}.`,
          );
      }
      await stage.remove(act);
      await stage.assertNothingListed(act.session, "remove");
    },
  },
];
