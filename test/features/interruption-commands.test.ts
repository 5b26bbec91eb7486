/** Every command that changes something, ended in the middle: recover finds what is left, and the command works when it is given again. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { PluginOp } from "#core/host/isolation/operations.js";
import { program } from "../support/process/command-line.js";
import { onEnd } from "../support/process/on-end.js";
import { wholeMatrix } from "../support/whole-matrix.js";
import { patientLimits, Scene } from "../support/fixture/scene.js";

interface Moment {
  args: readonly string[];
  role: "writer" | "provider";
  /** The command is ended when this call has taken effect and has not been answered. */
  op: PluginOp;
  /** What is done before. */
  first?: readonly string[];
  /** What was killed before, and so left something. */
  dead?: Moment;
}

const moments: readonly Moment[] = [
  { args: ["expose", "good"], role: "provider", op: "expose" },
  { args: ["unexpose", "good"], role: "provider", op: "unexpose", first: ["expose", "good"] },
  { args: ["verify", "good"], role: "writer", op: "verify" },
  { args: ["restore", "good", "--yes"], role: "writer", op: "beforeRestore" },
  { args: ["revert", "good", "--yes"], role: "provider", op: "revert" },
  { args: ["complete", "good", "--succeeded"], role: "writer", op: "complete" },
  { args: ["delete", "good", "--yes"], role: "provider", op: "remove" },
  { args: ["prune", "--keep-last", "1", "--yes"], role: "provider", op: "remove", first: ["create", "writer:app"] },
  ...(
    [
      ["writer", "abort", { args: ["create", "writer:app"], role: "writer", op: "freeze" }],
      ["provider", "abort", { args: ["create", "writer:app"], role: "provider", op: "seal" }],
      ["provider", "unexpose", { args: ["expose", "good"], role: "provider", op: "expose" }],
      // Its stdin is at an end, so it removes its set at once.
      ["provider", "remove", { args: ["create", "writer:app", "--lease-stdin"], role: "provider", op: "remove" }],
    ] as const
  ).map(([role, op, dead]): Moment => ({ args: ["recover", "--yes"], role, op, dead })),
];
const limits = { ...patientLimits, complete: "30s" };

/**
 * A closed terminal is SIGHUP. Two commands undo something of their own when they are told to end, and recover is the last resort;
 * the others end as by SIGKILL, which all are tried with. `npm run matrix` tries all with all.
 */
const ways = {
  SIGKILL: () => true,
  SIGHUP: ({ args: [name], op }: Moment) =>
    wholeMatrix || name === "verify" || name === "restore" || (name === "recover" && op === "unexpose"),
  SIGINT: ({ args: [name], op }: Moment) => wholeMatrix || (name === "recover" && op === "abort"),
} as const;

for (const way of ["SIGKILL", "SIGHUP", "SIGINT"] as const) {
  describe(`${way} in the middle of a command`, { concurrency: 2 }, () => {
    for (const moment of moments.filter((one) => ways[way](one))) {
      it(`\`${moment.args.join(" ")}\`, in ${moment.op} of the ${moment.role}`, async (t) => {
        const stage = new Scene(t);
        const good = (...args: string[]): ReturnType<Scene["run"]> => stage.run(args, { limits });
        await good("create", "writer:app", "--name", "good");
        if (moment.first !== undefined) assert.equal((await good(...moment.first)).exitCode, 0);
        if (moment.dead !== undefined) await killed(t, stage, moment.dead, "SIGKILL");
        await killed(t, stage, moment, way);

        assert.equal((await good("recover", "--yes")).exitCode, 0);
        assert.equal((await good("recover")).stdout, "Nothing is left over.\n");
        const again = await good(...moment.args);
        assert.equal(again.exitCode, 0, again.stderr);
        for (const id of (await good("list", "--quiet")).stdout.split("\n").filter((line) => line !== ""))
          assert.equal((await good("delete", id, "--yes")).exitCode, 0);
        assert.deepEqual(stage.stored(), []);
        const exposed = path.join(stage.dir, "exposed");
        assert.deepEqual(existsSync(exposed) ? readdirSync(exposed) : [], []);
        assert.equal(readFileSync(path.join(stage.app, "data/file"), "utf8"), "precious\n");
        assert.equal(stage.isFrozen(), false);
      });
    }
  });
}

async function killed(t: TestContext, stage: Scene, moment: Moment, way: NodeJS.Signals): Promise<void> {
  const child = await hanging(t, stage, moment);
  child.kill(way);
  await once(child, "close");
}

/** The command, as soon as its call is there once more than before. */
async function hanging(t: TestContext, stage: Scene, { args, role, op }: Moment): Promise<ChildProcess> {
  const log = role === "writer" ? "app" : "store";
  const calls = (): number => stage.calls(log).filter((one) => one === op).length;
  const before = calls();
  const config = stage.configFile({ [role]: { in: op, does: "hangs" }, limits });
  const child = spawn(process.execPath, [program, ...args, "--config", config], { stdio: "ignore" });
  onEnd(t, () => void child.kill("SIGKILL"));
  while (calls() === before) {
    assert.equal(child.exitCode, null, "it ended by itself");
    await sleep(20);
  }
  await sleep(50);
  return child;
}
