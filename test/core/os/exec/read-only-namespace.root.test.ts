/** Programs that can write only to the paths that the options name: with mounts, and as other users. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { canMakeReadOnlyNamespace, inReadOnlyNamespace } from "#core/os/exec/read-only-namespace.js";
import { runProgram } from "#core/os/exec/exec.js";
import type { ExecOptions, ExecResult } from "#core/os/exec/options.js";
import { onEnd } from "../../../support/process/on-end.js";
import { tempDir } from "../../../support/storage/temp.js";
import { unprivileged } from "../../../support/process/unprivileged.js";

const who = { role: "writer", instance: "it", plugin: "writer-that", version: "1.0.0" } as const;
const skip = (process.getuid?.() !== 0 || !canMakeReadOnlyNamespace()) && "mounting needs root";

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

test(
  "what is mounted in the folder is also writable, and what is mounted elsewhere is not unless it is named",
  { skip },
  async (t) => {
    const { ours, other } = folders(t);
    mkdirSync(path.join(ours, "inner"));
    for (const point of [path.join(ours, "inner"), other]) {
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", point]);
      onEnd(t, () => execFileSync("umount", [point]));
    }
    const script = `cd '${ours}'; for to in . inner '${other}'; do touch "$to/x" 2>/dev/null && echo "$to"; done`;
    const lines = async (writable: string[]): Promise<string[]> =>
      (await sh(script, { writable })).stdout.split("\n").slice(0, -1);
    assert.deepEqual(await lines([]), []);
    assert.deepEqual(await lines([ours]), [".", "inner"]);
    assert.deepEqual(await lines([ours, path.join(ours, "inner")]), [".", "inner"]);
    assert.deepEqual(await lines([other]), [other]);
  },
);

test("a link that takes the folder's place is not mounted", { skip }, (t) => {
  const { ours, other } = folders(t);
  const [command, args] = inReadOnlyNamespace([ours], "true", []);
  renameSync(ours, `${ours}.aside`);
  symlinkSync(other, ours);
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8", cwd: "/" });
  assert.deepEqual([status, stderr], [125, `holdstill: ${ours} cannot be made writable\n`]);
});

interface Elsewhere {
  result: ExecResult;
  /** The host reported that it could not make the namespace. */
  isReported: boolean;
}

/** Runs the script in a host of another user, or with fewer rights. */
function elsewhere(as: readonly string[], script: string, options: ExecOptions): Elsewhere {
  const text = `import { runProgram } from ${JSON.stringify(import.meta.resolve("#core/os/exec/exec.js"))};
    let isReported = false;
    const given = ${JSON.stringify({ who, command: "sh", args: ["-c", script], options })};
    const result = await runProgram({ ...given, signal: new AbortController().signal, onNoNamespace: () => (isReported = true) });
    console.log(JSON.stringify({ result, isReported }));`;
  const node = [process.execPath, "--input-type=module", "-e", text];
  const stdout = execFileSync("setpriv", [...as, "--", ...node], { encoding: "utf8", cwd: "/" });
  return JSON.parse(stdout) as Elsewhere;
}

test("a host that may not mount still runs the program, and reports it", { skip }, async (t) => {
  const { ours, other } = folders(t);
  const without = ["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"];
  const { result, isReported } = elsewhere(without, `touch '${other}/out'`, { writable: [ours] });
  assert.deepEqual([result.exitCode, isReported], [0, true]);
});

test("an ordinary user's program runs as that user, and its writes are limited as well", { skip }, async (t) => {
  const { uid, gid } = unprivileged();
  const as = ["--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups"];
  const may = spawnSync("setpriv", [...as, "unshare", "--user", "--map-root-user", "--mount", "true"], { cwd: "/" });
  if (may.status !== 0) return t.skip("ordinary users may not make user namespaces here");
  const { ours, other } = folders(t);
  for (const folder of [ours, other]) {
    chmodSync(path.dirname(folder), 0o755);
    chmodSync(folder, 0o777);
  }
  const script = `id -u; touch '${ours}/in' && echo in; touch '${other}/out' 2>/dev/null && echo out`;
  const { result, isReported } = elsewhere(as, script, { writable: [ours] });
  assert.deepEqual([result.stdout, isReported], [`${uid}\nin\n`, false]);
});
