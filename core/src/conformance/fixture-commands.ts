import type { Fixture } from "../base/schema/types.js";
import { CheckFailure, Skip } from "./check.js";
import { type PluginRig, SETUP_MS } from "./rig.js";

/** What the fixture's `state` prints. @throws CheckFailure, Skip */
export async function stateOf(rig: PluginRig): Promise<string> {
  const { state } = rig.fixture;
  if (state === undefined) throw new Skip("conformance.json has no `state`");
  return runOrFail(rig, "state", state);
}

/** Runs a command of the fixture that has to succeed. @returns What it prints. @throws CheckFailure */
export async function runOrFail(rig: PluginRig, name: keyof Fixture, text: string): Promise<string> {
  const ran = await rig.shell(text, SETUP_MS);
  if (ran.is === "ended" && ran.exitCode === 0) return ran.output;
  const what = ran.is === "late" ? "did not end" : `exited with ${ran.exitCode}`;
  throw new CheckFailure(
    `${name} ${what}. ${ran.output}`.trim() + rig.commands.background,
    `Fix \`${name}\` in conformance.json.`,
  );
}
