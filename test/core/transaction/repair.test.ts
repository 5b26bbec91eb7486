import assert from "node:assert/strict";
import test from "node:test";
import type { LimitsMs } from "#core/base/config/settings.js";
import { HoldstillError } from "#core/base/errors/error.js";
import type { Session } from "#core/host/isolation/session.js";
import type { PluginWorkers } from "#core/host/plugin-workers.js";
import { Repairs } from "#core/transaction/repair.js";
import type { ExposureDirs } from "#core/transaction/services.js";

const store = { role: "provider", instance: "store", plugin: "provider-copy", version: "1.0.0" } as const;
const app = { role: "writer", instance: "app", plugin: "writer-app", version: "1.0.0" } as const;

/** Asks for the repair of a snapshot whose fork fails. */
async function repairWith(failure: Error): Promise<unknown> {
  const provider = { who: store, offers: () => true, call: () => Promise.reject(failure) };
  const workers = { session: () => Promise.resolve(provider) } as unknown as PluginWorkers;
  const writer = { who: app, offers: () => true } as unknown as Session<"writer">;
  const limits = { seal: 1000, abort: 1000 } as LimitsMs;
  const exposures = {} as ExposureDirs;
  const repairs = new Repairs({ workers, limits, set: "set", whyOnlyForks: () => null, exposures });
  const kind = { kind: "database", tolerates: "fuzzy", repair: "fork" } as const;
  const components = [{ name: "data", paths: ["/data"], ...kind }];
  const tx = { id: "set", cut: "fuzzy" as const, components, sidecarDir: "/none" };
  const snapshot = { id: "set.0", setId: "set", volumeId: "v", createdAt: "2026-01-01T00:00:00Z" };
  return repairs.run(writer, { components, volumes: ["v"] }, tx, [{ who: store, snapshot }], 1000);
}

test("a provider without space for the second copy leaves the first one as it is worth, with the reason", async () => {
  const failure = { who: store, op: "fork", reason: "The copy needs 2.0 GiB in /store; 1.0 GiB are free there." };
  const error = new HoldstillError("E_PLUGIN_FAILED", failure);
  const reason = error.message.replace(/\.$/, "");
  assert.match(reason, /1\.0 GiB are free there/);
  assert.deepEqual(await repairWith(error), { state: "passed-over", in: [], reason });
});

test("a provider that ends in the middle of a copy fails the repair", async () => {
  const error = new HoldstillError("E_PLUGIN_DIED", {
    who: store,
    op: "fork",
    reason: "it was killed",
    isolation: "thread",
  });
  await assert.rejects(repairWith(error), { code: "E_PLUGIN_DIED" });
});
