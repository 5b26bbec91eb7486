import type { Component } from "../base/schema/types.js";
import type { Plan } from "../plan/plan.js";
import type { Actor } from "./state.js";

const levels = { "front-end": 0, "back-end": 1, system: 2 } as const;

/** The plan's writers and providers, as the machine needs them. */
export function actorsOf({ request, writers, providers }: Plan): Actor[] {
  return [
    ...writers.map(({ who, policy, components }): Actor => {
      const own = components.map((component) => levels[component.level ?? "back-end"]);
      const repairs = (request.repair ?? "inline") === "inline" && isRepaired(components);
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

/** Whether the writer repairs what is captured of it, now or later. */
export const isRepaired = (components: readonly Component[]): boolean =>
  components.some(({ repair = "none" }) => repair !== "none");

/** A writer is frozen with the foremost of its components. */
const lowestLevel = (all: readonly Actor["level"][]): Actor["level"] =>
  all.reduce((low, one) => (one < low ? one : low), levels.system);
