import type { Component, WriterTransaction } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import type { Server } from "./server.js";

/** What a later call needs to know of the captured server, which may no longer run. */
export type ServerFacts = Omit<Server, "folders">;

/** The server's facts as identify gave them. Undefined: the component is not this writer's. */
function factsOf({ facts }: Component): ServerFacts | undefined {
  if (facts === undefined) return undefined;
  const { product, version, dataDir, settings, user } = facts;
  const ours = (product === "MariaDB" || product === "MySQL") && typeof version === "string";
  const isComplete = [settings, user].every((one) => typeof one === "object" && one !== null);
  return ours && typeof dataDir === "string" && isComplete ? (facts as unknown as ServerFacts) : undefined;
}

type Captured = Pick<WriterTransaction, "components">;

/** The one server of this instance. @throws PluginError MYSQL_SNAPSHOT */
export function capturedServer(captured: Captured): ServerFacts {
  return capturedServers(captured)[0];
}

/** At least one. @throws PluginError MYSQL_SNAPSHOT */
export function capturedServers({ components }: Captured): [ServerFacts, ...ServerFacts[]] {
  const [first, ...others] = components.flatMap((component) => factsOf(component) ?? []);
  if (first !== undefined) return [first, ...others];
  const hint = "Use the version of the writer that took the set, or take the set again.";
  throw new PluginError("MYSQL_SNAPSHOT", "the set has no server that this version of the writer knows", hint);
}
