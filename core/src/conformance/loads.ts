import { type ConformanceCheck, CheckFailure } from "./check.js";
import type { PluginRig } from "./rig.js";

/** Whether a worker can be started at all. */
export const loadChecks: readonly ConformanceCheck<PluginRig>[] = [
  {
    name: "fixture-is-set-up",
    group: "Loading",
    title: "What the plugin is tested on could be made.",
    next: "Fix `setup` in conformance.json.",
    needs: ["manifest", "fits-this-host", "trusted", "commands", "fixture", "options-accept-the-fixture"],
    async run(rig) {
      await rig.renew();
      const { probe } = rig.fixture;
      const ran = probe === undefined ? null : await rig.probe(probe, "free");
      if (ran === null || (ran.is === "ended" && ran.exitCode === 0)) return;
      const what = ran.is === "late" ? "waits" : `ends with ${ran.exitCode}`;
      throw new CheckFailure(
        `The probe ${what} although nothing is frozen. ${ran.output}`.trim() + rig.commands.background,
        "Fix `probe` in conformance.json.",
      );
    },
  },
  {
    name: "loads",
    group: "Loading",
    title: "The plugin loads, and has every required method.",
    next: "Export the plugin as the module's default, build it, and install its dependencies into its own folder. `node --check FILE` shows a syntax error.",
    needs: ["fixture-is-set-up"],
    async run(rig) {
      await rig.start(rig.who.role);
    },
  },
];

/** After everything: what is still mounted would prevent the next run. */
export const endChecks: readonly ConformanceCheck<PluginRig>[] = [
  {
    name: "fixture-is-renewed",
    group: "What is left",
    title: "What the plugin is tested on could be made anew after each failed check.",
    next: "Let `teardown` in conformance.json undo `setup`, whatever state a failed check has left, and let `setup` succeed after it. This is not a fault of the plugin.",
    run({ obstacle }) {
      if (obstacle !== null) throw new CheckFailure(obstacle);
    },
  },
  {
    name: "fixture-is-taken-down",
    group: "What is left",
    title: "What the plugin was tested on could be removed.",
    next: "Fix `teardown` in conformance.json, or find what the plugin keeps in use.",
    needs: ["fixture-is-set-up"],
    async run(rig) {
      const fault = await rig.tearDown();
      if (fault !== null) throw new CheckFailure(fault);
    },
  },
];
