import type { Component, WriterTransaction } from "holdstill/plugin";
import { PluginError } from "./errors.js";
import type { Server } from "./server.js";

/** What a later call needs to know of the captured server, which may no longer run. */
export type ServerFacts = Omit<Server, "folders">;

/** The server's facts as identify gave them. Undefined: the component is not this writer's. */
export function factsOf({ facts }: Component): ServerFacts | undefined {
  if (facts === undefined) return undefined;
  const { product, version, dataDir, settings } = facts;
  const ours = (product === "MariaDB" || product === "MySQL") && typeof version === "string";
  if (!ours || typeof dataDir !== "string" || typeof settings !== "object" || settings === null) return undefined;
  return facts as unknown as ServerFacts;
}

export function capturedServer({ components }: WriterTransaction): ServerFacts {
  const [facts] = components.flatMap((component) => factsOf(component) ?? []);
  if (facts !== undefined) return facts;
  const hint = "Take the set again with this version of the writer.";
  throw new PluginError("MYSQL_SNAPSHOT", "the set has no component of this writer", hint);
}
