/**
 * Another user changes the folders between any two calls that take a name: for every operation, every call, every part of the path and
 * everything that can take its place. The operation is then done on what was meant, or refused; outside nothing ever changes.
 */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { AT_FDCWD, RENAME_EXCHANGE } from "#core/os/path/flags.js";
import { kernel } from "#core/os/path/syscalls.js";
import type { FileCalls } from "#kit/file-calls.js";
import { PluginError } from "#kit/plugin-error.js";
import { removeTree } from "#kit/remove-tree.js";
import { walk, walkTo } from "#kit/walk.js";
import { RegularFile } from "#kit/path-handle.js";
import { alice, asUser, needsRoot } from "../../support/process/as-user.js";
import { hookedCalls } from "../../support/storage/raced-file-calls.js";
import { tempDir } from "../../support/storage/temp.js";

/** What root is told to work on lies in `home`, which is alice's; in `outside`, which is root's, the same names must never be touched. */
interface World {
  readonly home: string;
  readonly outside: string;
}

/** Fails where the operation had an effect that was not meant, or returned what it must not. */
type Operation = (world: World, calls: FileCalls) => void | Promise<void>;

const secret = "for root only";

function build(base: string): World {
  const [home, outside] = [path.join(base, "home"), path.join(base, "outside")];
  for (const [root, content] of [
    [home, "alice's"],
    [outside, secret],
  ] as const) {
    rmSync(root, { recursive: true, force: true });
    mkdirSync(path.join(root, "a/b/c"), { recursive: true });
    for (const file of ["a/b/file", "a/file"]) writeFileSync(path.join(root, file), content, { mode: 0o600 });
  }
  for (const [decoy, target] of Object.entries({ toRoot: "", toA: "/a", toB: "/a/b", toFile: "/a/file" }))
    symlinkSync(`${outside}${target}`, path.join(home, decoy));
  mkdirSync(path.join(home, "hers/b/c"), { recursive: true });
  writeFileSync(path.join(home, "hers/b/file"), "alice's");
  for (const name of ["", ...readdirSync(home, { recursive: true, encoding: "utf8" })])
    lchownSync(path.join(home, name), alice.uid, alice.gid);
  mkdirSync(path.join(home, "roots/b/c"), { recursive: true });
  writeFileSync(path.join(home, "roots/b/file"), secret, { mode: 0o600 });
  return { home, outside };
}

/** Everything that could be changed, as text. */
function fingerprint(dir: string): string {
  const one = (name: string): string => {
    const { mode, uid, gid, nlink } = lstatSync(path.join(dir, name));
    const content = (mode & 0o170000) === 0o100000 ? readFileSync(path.join(dir, name), "utf8") : "";
    return [name, mode.toString(8), uid, gid, nlink, content].join(" ");
  };
  return ["", ...readdirSync(dir, { recursive: true, encoding: "utf8" }).toSorted()].map(one).join("\n");
}

/** A part of the path, and what takes its place. */
const swaps: readonly (readonly [part: string, decoy: string])[] = [
  ["a", "toA"],
  ["a", "hers"],
  ["a", "roots"],
  ["a/b", "toB"],
  ["a/b", "hers/b"],
  ["a/b", "roots"],
  ["a/b/file", "toFile"],
  ["a/b/c", "toB"],
  ["a/b/new", "toB"],
];

const owned = { owner: alice.uid };

const operations: Record<string, Operation> = {
  "walks to a folder, and makes a file": ({ home }, calls) => {
    using folder = walk(`${home}/a/b`, owned, calls);
    assert.equal(folder.status().uid, alice.uid);
    using file = folder.create("created");
    assert.equal(file.status().links, 1);
  },
  "makes a folder below another, and gives it away": ({ home }, calls) => {
    using top = walk(home, owned, calls);
    using folder = top.open("a/b");
    using made = folder.mkdir("new", 0o755);
    made.chown(alice.uid, alice.gid);
  },
  "reads a file": ({ home }, calls) => {
    using top = walk(home, owned, calls);
    using file = top.file("a/b/file");
    assert.equal(file.read(100).toString(), "alice's");
  },
  "copies a file into another folder": async ({ home }, calls) => {
    using source = RegularFile.of(walkTo(`${home}/a/b/file`, owned, calls), 0);
    using folder = walk(`${home}/a`, owned, calls);
    using target = folder.create("copied");
    await source.copyTo(target);
    assert.equal(target.read(100).toString(), "alice's");
  },
  "changes owner and mode of a file": ({ home }, calls) => {
    using top = walk(home, owned, calls);
    using file = top.entry("a/b/file");
    file.chown(alice.uid, 0);
    file.chmod(0o644);
  },
  "makes missing folders": ({ home }, calls) => {
    using folder = walk(`${home}/a/b/new/newer`, { ...owned, missing: 0o700 }, calls);
    assert.equal(folder.status().uid, alice.uid);
  },
  "renames, and removes what it saw": async ({ home }, calls) => {
    using folder = walk(`${home}/a`, owned, calls);
    const expected = folder.find("b");
    if (expected === null) return;
    folder.renameTo("b", folder, "away", expected);
    await removeTree(folder, "away", { expected });
  },
  "removes a tree": async ({ home }, calls) => {
    using top = walk(home, owned, calls);
    await removeTree(top, "a");
  },
};

/** Anything but a coded refusal is a failure of the test. */
async function outcomeOf(operation: Operation, world: World, calls: FileCalls): Promise<"done" | "refused"> {
  try {
    await operation(world, calls);
    return "done";
  } catch (error) {
    if (error instanceof PluginError) return "refused";
    throw error;
  }
}

/** Alice changes two names, if both are there. */
function swap({ home }: World, [part, decoy]: (typeof swaps)[number]): void {
  asUser(alice, () =>
    kernel.renameat2(AT_FDCWD, path.join(home, part), AT_FDCWD, path.join(home, decoy), RENAME_EXCHANGE),
  );
}

/** Every call at which she swaps, and every later one at which she swaps back, or never. */
async function race(t: TestContext, operation: Operation): Promise<{ done: number; refused: number }> {
  const base = realpathSync(tempDir(t));
  chmodSync(base, 0o755);
  const tally = { done: 0, refused: 0 };
  let calls = 0;
  const count = hookedCalls(() => (calls += 1));
  assert.equal(await outcomeOf(operation, build(base), count), "done", "without a race");
  const descriptors = readdirSync("/proc/self/fd").length;
  for (const pair of swaps) {
    for (let there = 0; there < calls; there += 1) {
      for (const back of [there + 1, Infinity]) {
        const world = build(base);
        const before = fingerprint(world.outside);
        const roots = fingerprint(path.join(world.home, "roots"));
        const hooked = hookedCalls((index) => {
          if (index === there || index === back) swap(world, pair);
        });
        const what = `${pair.join(" → ")} at call ${there}, back at ${back}`;
        try {
          tally[await outcomeOf(operation, world, hooked)] += 1;
        } catch (error) {
          assert.fail(`${what}: ${String(error)}`);
        }
        assert.equal(fingerprint(world.outside), before, what);
        if (what.startsWith("a → roots")) assert.ok(isKept(world, roots), what);
      }
    }
  }
  assert.equal(readdirSync("/proc/self/fd").length, descriptors, "no descriptor stays open");
  t.diagnostic(`${calls} calls; ${tally.done} done, ${tally.refused} refused`);
  return tally;
}

/** What root had in her folder lies there under one of two names, and is as it was. */
function isKept({ home }: World, roots: string): boolean {
  const places = ["roots", "a"].map((name) => path.join(home, name));
  return places.some((place) => existsSync(place) && lstatSync(place).uid === 0 && fingerprint(place) === roots);
}

for (const [name, operation] of Object.entries(operations)) {
  test(`${name}, whatever another user swaps meanwhile`, { skip: needsRoot }, async (t) => {
    const { done, refused } = await race(t, operation);
    assert.ok(done > 0 && refused > 0, `${done} done, ${refused} refused`);
  });
}

/** As it is often written. */
const naive: Operation = ({ home }, calls) => {
  for (const part of ["a", "a/b"]) {
    const fd = calls.open(`${home}/${part}`, 0o10000000 | 0o400000);
    const isFolder = calls.status(fd).isDirectory();
    calls.close(fd);
    if (!isFolder) return;
  }
  calls.close(calls.open(`${home}/a/b/created`, 0o102, 0o600));
};

test(
  "the races are real: looking first and then using the path makes a file outside",
  { skip: needsRoot },
  async (t) => {
    await assert.rejects(race(t, naive), /a → toA at call/);
  },
);
