import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Component } from "../../base/schema/types.js";
import { type ConformanceCheck, CheckFailure } from "../check.js";
import { contentOf, news } from "../residue.js";
import type { WriterScenario } from "./stage.js";

const group = "What it owns";

export const identifyChecks: readonly ConformanceCheck<WriterScenario>[] = [
  {
    name: "identify",
    group,
    title: "identify returns the application's components.",
    next: "Return what the schema of components describes: `plan` and every transaction begin with this call.",
    needs: ["loads"],
    async run(stage) {
      stage.components = await stage.rig.call(await stage.worker(), "identify", []);
    },
  },
  {
    name: "paths-exist",
    group,
    title: "The paths of the components exist.",
    next: "Ask the application for the location of its data, and return absolute paths that exist.",
    needs: ["identify"],
    run({ components }) {
      const missing = components.flatMap(({ paths }) => paths).filter((path) => !existsSync(path));
      if (missing.length > 0) throw new CheckFailure(`These do not exist: ${missing.join(", ")}.`);
    },
  },
  {
    name: "identify-is-stable",
    group,
    title: "identify returns the same result twice, and in another worker.",
    next: "Derive the result only from the application. What changes from call to call belongs in a component's `facts`.",
    needs: ["identify"],
    async run(stage) {
      const first = stage.components.map(lasting);
      const again = await stage.worker();
      const answers = [await stage.rig.call(again, "identify", []), await stage.rig.call(again, "identify", [])];
      for (const answer of answers) {
        const same = answer.map(lasting);
        if (!isDeepStrictEqual(same, first))
          throw new CheckFailure(`First it returned ${JSON.stringify(first)}, then ${JSON.stringify(same)}.`);
      }
    },
  },
  {
    name: "identify-touches-nothing",
    group,
    title: "identify changes nothing: the application continues, and the data folder is unchanged.",
    next: "Only read: `plan` calls identify, and promises that nothing was changed.",
    needs: ["identify"],
    async run(stage) {
      const { rig } = stage;
      const session = await stage.worker();
      const before = await contentOf(rig.dataDir);
      await rig.call(session, "identify", []);
      const changed = news(before, await contentOf(rig.dataDir));
      if (changed.length > 0) throw new CheckFailure(`identify wrote ${changed.join(", ")}.`);
      if (rig.fixture.probe !== undefined && (await stage.isHeld("free")))
        throw new CheckFailure("After identify the application's data cannot be changed.");
    },
  },
];

/** Facts may change, such as a position in a log. */
function lasting(component: Component): Component {
  const { facts, ...rest } = component;
  return facts === undefined ? component : rest;
}
