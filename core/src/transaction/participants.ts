import type { Plan } from "../plan/plan.js";
import type { Actor } from "./state.js";

const levels = { "front-end": 0, "back-end": 1, system: 2 } as const;

/** The plan's writers and providers, as the machine needs them. */
export function actorsOf({ writers, providers }: Plan): Actor[] {
  return [
    ...writers.map(({ who, policy, components }): Actor => {
      const own = components.map((component) => levels[component.level ?? "back-end"]);
      const repairs = components.some(({ repair = "none" }) => repair !== "none");
      return { id: who.instance, role: "writer", policy, level: lowestLevel(own), repairs };
    }),
    ...providers.map(({ who }): Actor => ({
      id: who.instance,
      role: "provider",
      policy: "required",
      level: 0,
      repairs: false,
    })),
  ];
}

/** A writer is frozen with the foremost of its components. */
const lowestLevel = (all: readonly Actor["level"][]): Actor["level"] =>
  all.reduce((low, one) => (one < low ? one : low), levels.system);
