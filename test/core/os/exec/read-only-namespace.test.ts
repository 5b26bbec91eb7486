/** Programs that can write only to the paths that the options name. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { canMakeReadOnlyNamespace } from "#core/os/exec/read-only-namespace.js";
import { runProgram } from "#core/os/exec/exec.js";
import type { ExecOptions, ExecResult } from "#core/os/exec/options.js";
import { tempDir } from "../../../support/storage/temp.js";

const who = { role: "writer", instance: "it", plugin: "writer-that", version: "1.0.0" } as const;
const skip = !canMakeReadOnlyNamespace() && "this process may not mount";

const onNoNamespace = (): never => assert.fail("its writes are not limited");

async function sh(script: string, options: ExecOptions): Promise<ExecResult> {
  const { signal } = new AbortController();
  return await runProgram({ who, command: "sh", args: ["-c", script], options, signal, onNoNamespace });
}

/** A folder for the program, with a name that a shell might take apart, and another one beside it. */
function folders(t: TestContext): { ours: string; other: string } {
  const [ours, other] = ["a \\ b", "other"].map((name) => path.join(tempDir(t), name));
  for (const folder of [ours, other]) mkdirSync(folder ?? "");
  return { ours: ours ?? "", other: other ?? "" };
}

test("a program can write to its paths, and everything else is read-only for it alone", { skip }, async (t) => {
  const { ours, other } = folders(t);
  const file = path.join(tempDir(t), "one");
  writeFileSync(file, "");
  const script = `echo in > '${ours}/in'; echo one > '${file}'; echo x > /dev/null; pwd; echo out > '${other}/out'; exit 3`;
  const { exitCode, stdout, stderr } = await sh(script, { writable: [ours, file], cwd: ours });
  assert.deepEqual([exitCode, stdout], [3, `${ours}\n`]);
  assert.match(stderr, /cannot create .*\/other\/out: Read-only file system/);
  assert.equal(readFileSync(path.join(ours, "in"), "utf8"), "in\n");
  assert.equal(readFileSync(file, "utf8"), "one\n");
  assert.equal(existsSync(path.join(other, "out")), false);
  writeFileSync(path.join(other, "out"), "others write on");
});

test("a path that does not exist is an error, and the program does not run", { skip }, async () => {
  await assert.rejects(sh("echo ran", { writable: ["/no/such/folder"] }), { code: "ENOENT" });
});

test("a program that is not installed is also E_EXEC_MISSING here", { skip }, async () => {
  const { signal } = new AbortController();
  const command = { who, command: "no-such-program", args: [], options: { writable: [] }, signal };
  await assert.rejects(runProgram(command), { code: "E_EXEC_MISSING" });
});
