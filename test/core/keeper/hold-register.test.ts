/** Where a keeper notes what it holds. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { abandonedHolds, HoldRegister, registerFile } from "#core/keeper/hold-register.js";
import type { ArmRequest, ArmTarget } from "#core/keeper/wire.js";
import { onEnd } from "../../support/process/on-end.js";
import { tempDir } from "../../support/storage/temp.js";
import { repository } from "../../support/repository.js";

const station = (mount: string): ArmTarget => ({ target: { kind: "fs", mount }, identity: null, rank: 0 });
const armsFor = (ledger: string, mounts: readonly string[]): ArmRequest => ({
  targets: mounts.map(station),
  ops: [],
  limitMs: 1,
  lockMemory: false,
  means: null,
  register: ledger,
});
const unlocked = async (): Promise<void> => {};

test("what is noted is what the next one inherits, and with the last hold the file goes", async (t) => {
  const file = path.join(tempDir(t), "ledger");
  const first = HoldRegister.begin(armsFor(file, ["/a", "/é", "/c"]), "ioctl", process.pid);
  first.asks([0, 1]);
  first.hurries(true);
  first.isFree(0);
  first.end();
  const next = await HoldRegister.inherit(file, unlocked);
  assert.deepEqual(
    [next?.isHurrying, ...[0, 1, 2].map((at) => next?.mayHold(at)), next?.heading.means],
    [true, false, true, false, "ioctl"],
  );
  next?.isFree(1);
  next?.hurries(false);
  next?.end();
  assert.equal(existsSync(file), false);
  assert.equal(await HoldRegister.inherit(file, unlocked), null);
});

test("while the keeper or its guardian lives nothing is abandoned; when both are dead, what they held is", (t) => {
  const name = randomUUID();
  const file = registerFile(name);
  onEnd(t, () => execFileSync("rm", ["-f", file]));
  assert.equal(abandonedHolds(name), null);
  const ledger = HoldRegister.begin(armsFor(file, ["/a", "/b"]), "ioctl", process.pid);
  ledger.asks([1]);
  ledger.end();
  assert.equal(abandonedHolds(name), null, "this process lives");
  // Another process has written it, and is dead by now.
  const script = `
    const { HoldRegister } = await import(process.argv[1]);
    const station = (mount) => ({ target: { kind: "fs", mount }, identity: null, rank: 0 });
    const register = HoldRegister.begin({ targets: [station("/a"), station("/b")], register: process.argv[2] }, "ioctl", process.pid);
    register.asks([1]);`;
  const module = path.join(repository, "core/dist/keeper/hold-register.js");
  execFileSync(process.execPath, ["--input-type=module", "--eval", script, module, file]);
  assert.deepEqual(abandonedHolds(name), { file, points: [{ kind: "fs", mount: "/b" }] });
  writeFileSync(file, "{");
  assert.equal(abandonedHolds(name), null, "a damaged one says nothing");
});

test("a folder that somebody else could have written to is not trusted, nor one that lies on a disk", (t) => {
  const root = path.join("/dev/shm", `holdstill-test-${process.pid}`);
  mkdirSync(root);
  onEnd(t, () => execFileSync("rm", ["-r", root]));
  assert.throws(() => registerFile("x", ["/proc", "/nowhere"]), /neither \/proc nor \/nowhere lies in memory/);
  const file = registerFile("x", [root]);
  chmodSync(path.dirname(file), 0o770);
  assert.throws(() => registerFile("x", [root]), /belongs to somebody else/);
  execFileSync("rm", ["-r", path.dirname(file)]);
  mkdirSync(path.join(root, "elsewhere"), { mode: 0o700 });
  symlinkSync("elsewhere", path.dirname(file));
  assert.throws(() => registerFile("x", [root]), /belongs to somebody else/);
});
