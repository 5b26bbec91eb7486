import { stateCheck } from "../state.js";
import { providerSteps, type ProviderScenario } from "./stage.js";

export const providerStateChecks = [
  stateCheck<ProviderScenario>((stage) => [
    ["After a snapshot was shown in each way, and removed", () => showAndRemove(stage)],
    ...providerSteps.map(
      (step) => [`After ${step} and abort`, async () => stage.abort(await stage.upTo(step))] as const,
    ),
  ]),
];

async function showAndRemove(stage: ProviderScenario): Promise<void> {
  const act = await stage.upTo("seal");
  const { session } = act;
  const forks = [];
  for (const snapshot of act.snapshots) {
    for (const access of ["read-only", "scratch"] as const) {
      await stage.expose(session, snapshot, access);
      await stage.unexpose(session, snapshot);
    }
    if (!stage.rig.offered.has("fork")) continue;
    const fork = await stage.rig.call(session, "fork", [snapshot]);
    await stage.expose(session, fork, "writable");
    await stage.unexpose(session, fork);
    forks.push(fork);
  }
  await stage.remove({ ...act, snapshots: [...forks, ...act.snapshots] });
}
