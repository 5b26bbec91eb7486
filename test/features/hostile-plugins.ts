/**
 * Plugins that attack their host, through the real command line. The worst moment is while the application is frozen: whatever the
 * plugin does, the command ends with an error that names it, the application goes on, and nothing is left over.
 */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { TransactionResult } from "#core/engine/types.js";
import type { PluginOp } from "#core/host/isolation/operations.js";
import type { WorkerRuntime } from "#core/host/isolation/session.js";
import type { Hostile } from "../support/fixture/misbehaving-plugins.js";
import { patientLimits, type Roles, Scene } from "../support/fixture/scene.js";

/** The call passes its deadline in some cases. Longer than a busy machine needs for a good freeze. */
const limits = { writer: { ...patientLimits, freeze: "8s" }, provider: { ...patientLimits, copy: "8s" } };
/** Much longer than the limit of the call, because the machine may be busy. A deaf host took 40 s and more beyond it, and the command is killed after 60. */
const ENDS_WITHIN_MS = 50_000;

/** What each act ends as: the code, or one of several when it depends on what the host notices first. */
export type Rows = Partial<Record<Hostile, RegExp>>;

const places: { readonly [R in WorkerRuntime]: string } = {
  thread: "in a thread",
  process: "in a process",
  executable: "that is a program",
};

type Role = "writer" | "provider";
const moments = { writer: "after its freeze", provider: "after its commit" };
const instances = { writer: "app", provider: "store" };

export function hostilePlugins(role: Role, runtime: WorkerRuntime, rows: Rows): void {
  describe(`a ${role} ${places[runtime]}, ${moments[role]}`, { concurrency: 2 }, () => {
    for (const [does, code] of Object.entries(rows) as [Hostile, RegExp][])
      it(`that ${does.replaceAll("-", " ")} is named, and everything is undone`, (t) =>
        undone(t, role, runtime, does, code));
  });
}

/** While the application is frozen. commit returns nothing, and so does an answer of null: what a provider returns is tried in seal. */
function callOf(role: Role, does: Hostile): PluginOp {
  if (role === "writer") return "freeze";
  return does.startsWith("returns-") || does === "answers-null-raw" ? "seal" : "commit";
}

async function undone(t: TestContext, role: Role, runtime: WorkerRuntime, does: Hostile, code: RegExp): Promise<void> {
  const scene = new Scene(t);
  const roles: Roles = { runtime, limits: limits[role], [role]: { in: callOf(role, does), does, when: "after" } };
  const began = performance.now();
  const ran = await scene.run(["create", "writer:app", "--json"], roles);
  const took = performance.now() - began;
  assert.equal(ran.exitCode, 4, ran.stdout + ran.stderr);
  const { error, residue } = ran.json() as TransactionResult;
  assert.match(error?.code ?? "", code, JSON.stringify(error));
  assert.match(error?.message ?? "", new RegExp(`\`${instances[role]}\``), "the culprit is named");
  assert.ok((error?.message.length ?? 0) < 1000);
  assert.deepEqual(residue, []);
  assert.equal(scene.isFrozen(), false, "the application goes on");
  assert.deepEqual(scene.stored(), [], "nothing is left in the storage");
  assert.ok(took < ENDS_WITHIN_MS, `it took ${took} ms`);
  assert.equal((await scene.run(["recover"], {})).stdout, "Nothing is left over.\n");
}
