/** What a command costs before it does anything, next to what others start with. */
import { spawnSync } from "node:child_process";
import { program } from "../rig/cli.js";
import { Stage } from "../rig/stage.js";
import { monotonic } from "../rig/scribe.js";
import { Stay } from "./stay.js";
import { type Bench, Samples } from "./samples.js";

export const cli: Bench = {
  name: "cli",
  async run({ quick }) {
    await using stay = new Stay();
    const stage = new Stage(stay.t);
    const config = ["--config", stage.configFile()];
    const node = process.execPath;
    const commands: Record<string, [string, string[]]> = {
      "node -e 0": [node, ["-e", "0"]],
      "python3, with what snapm imports": ["python3", ["-c", "import argparse, json, subprocess"]],
      lvs: ["lvs", []],
      "holdstill --version": [node, [program, "--version"]],
      "holdstill list": [node, [program, "list", ...config]],
      "holdstill plan": [node, [program, "plan", "writer:app", ...config]],
      "holdstill create, of one small file": [node, [program, "create", "writer:app", ...config]],
    };
    const samples = new Samples();
    for (let round = 0; round < (quick ? 2 : 15); round += 1) {
      for (const [way, [command, args]] of Object.entries(commands)) {
        const from = monotonic();
        const { error } = spawnSync(command, args, { stdio: "ignore" });
        if (error === undefined) samples.add("start to end", way, monotonic() - from);
      }
    }
    return [{ bench: "cli", about: "a whole command, as a process", ours: "node -e 0", rows: samples.rows }];
  },
};
