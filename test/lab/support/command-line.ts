import { writeFileSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import type { SnapshotSet } from "holdstill/plugin";
import { type CliRun, holdstill, type RunOptions } from "../../support/process/command-line.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";

export type Command = (args: readonly string[], more?: RunOptions) => Promise<CliRun>;

/** The command line with a config of the test's own; its sets are removed at the end. */
export function commandLine(t: TestContext, plugins: readonly unknown[]): Command {
  return commandLineWith(t, configFile(t, plugins));
}

/** A config with a state directory of its own, and whatever else. */
export function configFile(t: TestContext, plugins: readonly unknown[], more: object = {}): string {
  const dir = tempDir(t);
  const config = path.join(dir, "config.json");
  writeFileSync(config, JSON.stringify({ stateDir: `${dir}/state`, exposeDir: `${dir}/exposed`, plugins, ...more }));
  return config;
}

/** The command line with that config; its sets are removed at the end. */
export function commandLineWith(t: TestContext, config: string): Command {
  const command: Command = (args, more) => holdstill([...args, "--config", config], more);
  onEnd(t, async () => {
    await command(["recover", "--yes"]);
    const { sets } = (await command(["list", "--json"])).json() as { sets: SnapshotSet[] };
    for (const { id } of sets) await command(["delete", id, "--yes"]);
  });
  return command;
}
