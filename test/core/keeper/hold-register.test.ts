/** The file in which a keeper records what it holds. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { abandonedHolds, HoldRegister, registerFile } from "#core/keeper/hold-register.js";
import type { ArmTarget } from "#core/keeper/wire.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { repository } from "../../support/repository.js";

const targetOf = (mount: string): ArmTarget => ({ target: { kind: "fs", mount }, identity: null, rank: 0 });
const begin = (register: string, mounts: readonly string[]): HoldRegister =>
  HoldRegister.begin({ register, targets: mounts.map(targetOf) }, process.pid);
const unlocked = async (): Promise<void> => {};

test("a process that takes over inherits what is recorded, and the file goes with the last hold", async (t) => {
  const file = path.join(tempDir(t), "register");
  const first = begin(file, ["/a", "/é", "/c"]);
  first.markAsked([0, 1]);
  first.markExpedited(true);
  first.markFree(0);
  first.end();
  const next = await HoldRegister.inherit(file, unlocked);
  assert.deepEqual([next?.isExpedited, ...[0, 1, 2].map((index) => next?.mayHold(index))], [true, false, true, false]);
  next?.markFree(1);
  next?.markExpedited(false);
  next?.end();
  assert.equal(existsSync(file), false);
  assert.equal(await HoldRegister.inherit(file, unlocked), null);
});

test("nothing is abandoned while the keeper or its watchdog lives; when both are dead, their holds are", (t) => {
  const name = randomUUID();
  const file = registerFile(name);
  onEnd(t, () => execFileSync("rm", ["-f", file]));
  assert.equal(abandonedHolds(name), null);
  const register = begin(file, ["/a", "/b"]);
  register.markAsked([1]);
  register.end();
  assert.equal(abandonedHolds(name), null, "this process lives");
  // Written by another process, which is dead by now.
  const script = `
    const { HoldRegister } = await import(process.argv[1]);
    const targetOf = (mount) => ({ target: { kind: "fs", mount }, identity: null, rank: 0 });
    const register = HoldRegister.begin({ targets: [targetOf("/a"), targetOf("/b")], register: process.argv[2] }, process.pid);
    register.markAsked([1]);`;
  const module = path.join(repository, "core/dist/keeper/hold-register.js");
  execFileSync(process.execPath, ["--input-type=module", "--eval", script, module, file]);
  assert.deepEqual(abandonedHolds(name), { file, targets: [{ kind: "fs", mount: "/b" }] });
  writeFileSync(file, "{");
  assert.equal(abandonedHolds(name), null, "a damaged register is ignored");
});

test("a folder that another user could write to is not trusted, nor is one on a disk", (t) => {
  const root = path.join("/dev/shm", `holdstill-test-${process.pid}`);
  mkdirSync(root);
  onEnd(t, () => execFileSync("rm", ["-r", root]));
  assert.throws(() => registerFile("x", ["/proc", "/nowhere"]), /neither \/proc nor \/nowhere is in memory/);
  const file = registerFile("x", [root]);
  chmodSync(path.dirname(file), 0o770);
  assert.throws(() => registerFile("x", [root]), /belongs to another user/);
  execFileSync("rm", ["-r", path.dirname(file)]);
  mkdirSync(path.join(root, "elsewhere"), { mode: 0o700 });
  symlinkSync("elsewhere", path.dirname(file));
  assert.throws(() => registerFile("x", [root]), /belongs to another user/);
});

test("a place that another user has taken is left to that user, if there is another place", (t) => {
  const root = path.join("/dev/shm", `holdstill-test-${process.pid}-taken`);
  onEnd(t, () => execFileSync("rm", ["-r", root]));
  const [taken, other] = [path.join(root, "a"), path.join(root, "b")];
  for (const one of [taken, other]) mkdirSync(one, { recursive: true });
  const first = path.dirname(registerFile("x", [taken, other]));
  assert.equal(path.dirname(first), taken);
  chmodSync(first, 0o777);
  assert.equal(registerFile("x", [taken, other]), path.join(other, path.basename(first), "x"));
});

test(
  "root's registers are where only root can make something",
  { skip: process.getuid?.() !== 0 && "root only" },
  () => {
    const { uid, mode } = statSync(path.dirname(path.dirname(registerFile("x"))));
    assert.deepEqual([uid, mode & 0o022], [0, 0]);
  },
);
