import type { Check } from "./check.js";
import type { Rig } from "./rig.js";

/** Whether a worker can be started at all. */
export const loadChecks: readonly Check<Rig>[] = [
  {
    name: "fixture-is-set-up",
    group: "Loading",
    title: "What the plugin is tried on could be made.",
    next: "Mend `setup` in conformance.json.",
    needs: ["manifest", "fits-this-host", "trusted", "commands", "fixture", "options-accept-the-fixture"],
    run: (rig) => rig.renew(),
  },
  {
    name: "loads",
    group: "Loading",
    title: "The plugin loads, and has every method that its kind must have.",
    next: "Export the plugin as the module's default, build it, and install its dependencies into its own folder.",
    needs: ["fixture-is-set-up"],
    async run(rig) {
      await rig.start(rig.who.role);
    },
  },
];
