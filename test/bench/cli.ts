/** What a command costs before it does anything, next to what others start with: its time, and its instructions, which no noise changes. */
import { spawnSync } from "node:child_process";
import { program } from "../support/process/command-line.js";
import { Scene } from "../support/fixture/scene.js";
import { monotonic } from "../support/storage/write-probe.js";
import { Stay } from "./stay.js";
import { type Bench, Samples } from "./samples.js";

export const cli: Bench = {
  name: "cli",
  async run({ quick, say }) {
    await using stay = new Stay();
    const stage = new Scene(stay.t);
    const config = ["--config", stage.configFile()];
    const node = process.execPath;
    const commands: Record<string, [string, string[]]> = {
      "node -e 0": [node, ["-e", "0"]],
      "python3, with what snapm imports": [python(), ["-c", "import argparse, json, subprocess"]],
      lvs: ["lvs", []],
      "holdstill --version": [node, [program, "--version"]],
      "holdstill list": [node, [program, "list", ...config]],
      "holdstill plan": [node, [program, "plan", "writer:app", ...config]],
      "holdstill create, of one small file": [node, [program, "create", "writer:app", ...config]],
    };
    const samples = new Samples();
    for (let round = 0; round < (quick ? 2 : 21); round += 1) {
      for (const [way, [command, args]] of Object.entries(commands)) {
        const from = monotonic();
        const { error } = spawnSync(command, args, { stdio: "ignore" });
        if (error === undefined) samples.add("start to end", way, monotonic() - from);
      }
    }
    const counted = new Samples();
    for (const [way, [command, args]] of Object.entries(quick ? {} : commands)) {
      say(`instructions of ${way}`);
      const count = instructions(command, args);
      if (count === undefined) say(`left out: neither perf stat nor valgrind counts here`);
      else counted.add("start to end", way, count / 1e6, "million");
    }
    const ours = "node -e 0";
    return [
      { bench: "cli", about: "a whole command, as a process", ours, rows: samples.rows },
      { bench: "cli instructions", about: "what its own process executes", ours, rows: counted.rows },
    ].filter(({ rows }) => rows.length > 0);
  },
};

/** The interpreter itself: what lies in the path may be a shell script that looks for it. */
function python(): string {
  const { stdout } = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
  return stdout?.trim() || "python3";
}

/** In user mode, without processes that it starts; by the processor's counter, or by valgrind's where a virtual machine has none. */
function instructions(command: string, args: readonly string[]): number | undefined {
  const perf = spawnSync("perf", ["stat", "-x,", "-e", "instructions:u", "--no-inherit", "--", command, ...args], {
    encoding: "utf8",
  });
  const counted = /^(\d+),[^,]*,instructions/m.exec(perf.stderr ?? "")?.[1];
  if (counted !== undefined) return Number(counted);
  const tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null", "--smc-check=all-non-file"];
  const valgrind = spawnSync("valgrind", [...tool, command, ...args], { encoding: "utf8" });
  // Everything is slower there, and what gives up on the way would look cheap.
  if (valgrind.status !== 0 && valgrind.error === undefined)
    throw new Error(`${command} ${args.join(" ")} failed under valgrind: ${valgrind.stderr}`);
  const collected = /Collected : (\d+)/.exec(valgrind.stderr ?? "")?.[1];
  return collected === undefined ? undefined : Number(collected);
}
