import { toFault } from "../errors/error.js";
import { isProvider } from "../isolation/session.js";
import type { Crew } from "../crew/crew.js";
import type { ProviderStatus } from "./types.js";

/** Asks every provider of the crew which snapshots exist. */
export function listAll(crew: Crew, limitMs: number): Promise<ProviderStatus[]> {
  const providers = [...crew.plugins.values()].filter((plugin) => plugin.who.role === "provider");
  return Promise.all(
    providers.map(async ({ who }): Promise<ProviderStatus> => {
      try {
        const session = await crew.session(who.instance);
        return { who, snapshots: isProvider(session) ? await session.call("list", [], limitMs) : [] };
      } catch (error) {
        return { who, error: toFault(error) };
      }
    }),
  );
}
