import { type ConformanceCheck, CheckFailure } from "./check.js";
import type { PluginRig } from "./rig.js";

/** Whether a worker can be started at all. */
export const loadChecks: readonly ConformanceCheck<PluginRig>[] = [
  {
    name: "fixture-is-set-up",
    group: "Loading",
    title: "What the plugin is tried on could be made.",
    next: "Mend `setup` in conformance.json.",
    needs: ["manifest", "fits-this-host", "trusted", "commands", "fixture", "options-accept-the-fixture"],
    async run(rig) {
      await rig.renew();
      const { probe } = rig.fixture;
      const ran = probe === undefined ? null : await rig.probe(probe, "free");
      if (ran === null || (ran.is === "ended" && ran.exitCode === 0)) return;
      const what = ran.is === "late" ? "waits" : `ends with ${ran.exitCode}`;
      throw new CheckFailure(
        `The probe ${what} although nothing is frozen. ${ran.output}`.trim(),
        "Mend `probe` in conformance.json.",
      );
    },
  },
  {
    name: "loads",
    group: "Loading",
    title: "The plugin loads, and has every method that its kind must have.",
    next: "Export the plugin as the module's default, build it, and install its dependencies into its own folder. `node --check FILE` says where a syntax error is.",
    needs: ["fixture-is-set-up"],
    async run(rig) {
      await rig.start(rig.who.role);
    },
  },
];

/** After everything: what is still mounted would be in the way of whoever comes next. */
export const endChecks: readonly ConformanceCheck<PluginRig>[] = [
  {
    name: "fixture-is-taken-down",
    group: "What is left",
    title: "What the plugin was tried on could be taken down.",
    next: "Mend `teardown` in conformance.json, or look for what the plugin keeps in use.",
    needs: ["fixture-is-set-up"],
    async run(rig) {
      const fault = await rig.tearDown();
      if (fault !== null) throw new CheckFailure(fault);
    },
  },
];
