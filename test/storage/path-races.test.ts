/**
 * Another user changes the folders between any two calls to the kernel: for every operation, every call, every part of the path and
 * everything that can take its place. The operation is then done on what was meant, or refused; outside nothing ever changes.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lchownSync,
  linkSync,
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
import { inspect } from "node:util";
import test, { type TestContext } from "node:test";
import { isHoldstillError } from "#core/base/errors/error.js";
import { readMounts } from "#core/os/mounts.js";
import { AT_FDCWD, O_CREAT, O_RDWR, RENAME_EXCHANGE } from "#core/os/path/flags.js";
import { attachMount, detachedTmpfs } from "#core/os/path/mounts-by-handle.js";
import { readHandle } from "#core/os/path/read-file.js";
import { removeTree } from "#core/os/path/remove-tree.js";
import { statusAt } from "#core/os/path/status.js";
import { kernel, type Syscalls } from "#core/os/path/syscalls.js";
import { walk, walkTo } from "#core/os/path/walk.js";
import { alice, asUser, needsRoot } from "../support/process/as-user.js";
import { onEnd } from "../support/process/on-end.js";
import { hooked, kernels } from "../support/storage/raced-syscalls.js";
import { tempDir } from "../support/storage/temp.js";

/** What root is told to work on lies in `home`, which is alice's; in `outside`, which is root's, the same names must never be touched. */
interface World {
  readonly home: string;
  readonly outside: string;
}

/** Fails where the operation had an effect that was not meant, or returned what it must not. */
type Operation = (world: World, sys: Syscalls) => void | Promise<void>;

const secret = "for root only";

/** On a file system in memory, for thousands of worlds are made. */
function ground(t: TestContext): string {
  const base = realpathSync(tempDir(t));
  chmodSync(base, 0o755);
  using folder = walk(base);
  using memory = detachedTmpfs("holdstill-races", { size: "64m", mode: "0755" });
  attachMount(memory, folder);
  onEnd(t, () => execFileSync("umount", ["--lazy", base]));
  execFileSync("mkfifo", [path.join(base, "fifo")]);
  return base;
}

function build(base: string): World {
  const [home, outside, fifo] = [path.join(base, "home"), path.join(base, "outside"), path.join(base, "fifo")];
  for (const root of [home, outside]) rmSync(root, { recursive: true, force: true });
  for (const [root, content] of [
    [home, "alice's"],
    [outside, secret],
  ] as const) {
    mkdirSync(path.join(root, "a/b/c"), { recursive: true });
    for (const file of ["a/b/file", "a/file", "a/b/c/file"])
      writeFileSync(path.join(root, file), content, { mode: 0o600 });
  }
  // What can take the place of a part: links to the outside, a folder of hers, a FIFO; and a folder of root's, for she owns what is above.
  for (const [decoy, target] of Object.entries({
    toRoot: outside,
    toA: `${outside}/a`,
    toB: `${outside}/a/b`,
    toFile: `${outside}/a/file`,
  }))
    symlinkSync(target, path.join(home, decoy));
  mkdirSync(path.join(home, "hers/b/c"), { recursive: true });
  writeFileSync(path.join(home, "hers/file"), "alice's");
  writeFileSync(path.join(home, "hers/b/file"), "alice's");
  linkSync(fifo, path.join(home, "fifo"));
  for (const name of readdirSync(home, { recursive: true, encoding: "utf8" }))
    lchownSync(path.join(home, name), alice.uid, alice.gid);
  lchownSync(home, alice.uid, alice.gid);
  mkdirSync(path.join(home, "roots/b/c"), { recursive: true });
  writeFileSync(path.join(home, "roots/b/file"), secret, { mode: 0o600 });
  return { home, outside };
}

/** Everything that could be changed, as text; the content of what root must not have changed. */
function fingerprint(dir: string): string {
  const one = (name: string): string => {
    const file = path.join(dir, name);
    const { mode, uid, gid, nlink } = lstatSync(file);
    return [
      name,
      mode.toString(8),
      uid,
      gid,
      nlink,
      (mode & 0o170000) === 0o100000 ? readFileSync(file, "utf8") : "",
    ].join(" ");
  };
  return ["", ...readdirSync(dir, { recursive: true, encoding: "utf8" }).toSorted()]
    .map((name) => one(name))
    .join("\n");
}

/** A part of the path, and what takes its place. */
const swaps: readonly (readonly [part: string, decoy: string])[] = [
  ["a", "toA"],
  ["a", "hers"],
  ["a", "roots"],
  ["a", "fifo"],
  ["a/b", "toB"],
  ["a/b", "hers/b"],
  ["a/b", "roots"],
  ["a/b/file", "toFile"],
  ["a/b/file", "fifo"],
  ["a/b/file", "hers/file"],
  ["a/b/c", "toB"],
  ["a/b/new", "toB"],
];

const owned = { owner: alice.uid };

const operations: Record<string, Operation> = {
  "walks to a folder, and makes a file": ({ home }, sys) => {
    using folder = walk(`${home}/a/b`, owned, sys);
    assert.equal(folder.status().uid, alice.uid);
    using file = folder.create("created");
    assert.equal(file.status().links, 1);
  },
  "opens a folder below another, and makes a folder": ({ home }, sys) => {
    using top = walk(home, owned, sys);
    using folder = top.open("a/b");
    using made = folder.mkdir("new", 0o755);
    made.chown(alice.uid, alice.gid);
  },
  "opens what any user owns below a folder, and makes a file": ({ home }, sys) => {
    using top = walk(home, owned, sys);
    using folder = top.open("a/b", { owners: "any" });
    using file = folder.create("new");
    assert.equal(file.status().links, 1);
  },
  "reads a file": ({ home }, sys) => {
    using top = walk(home, owned, sys);
    using file = top.file("a/b/file");
    assert.equal(file.read(100).toString(), "alice's");
  },
  "walks to a file, and reads it": ({ home }, sys) => {
    const { bytes, status } = readHandle(walkTo(`${home}/a/b/file`, owned, sys), 100);
    assert.deepEqual([bytes.toString(), status.uid], ["alice's", alice.uid]);
  },
  "changes owner and mode of a file": ({ home }, sys) => {
    using top = walk(home, owned, sys);
    using file = top.entry("a/b/file");
    file.chown(alice.uid, 0);
    file.chmod(0o644);
  },
  "makes missing folders": ({ home }, sys) => {
    using folder = walk(`${home}/a/b`, owned, sys);
    using made = folder.openOrMake("new");
    assert.ok(made.fd >= 0);
  },
  "puts a draft in its place": ({ home }, sys) => {
    using folder = walk(`${home}/a`, owned, sys);
    using draft = folder.mkdir("draft");
    folder.renameTo("draft", folder, "b", "swap", draft.status());
    folder.renameTo("draft", folder, "before", "new");
    folder.sync();
  },
  "removes a tree": async ({ home }, sys) => {
    using top = walk(home, owned, sys);
    await removeTree(top, "a");
  },
  "removes the tree that it saw": async ({ home }, sys) => {
    using folder = walk(`${home}/a`, owned, sys);
    const expected = folder.find("b");
    if (expected !== null) await removeTree(folder, "b", { expected });
  },
  "mounts onto a folder": ({ home }, sys) => {
    using point = walk(`${home}/a/b`, owned, sys);
    using memory = detachedTmpfs("holdstill-raced", { size: "1m", mode: "0755" }, sys);
    attachMount(memory, point);
    const { mountPoint = "" } = readMounts().find(({ source }) => source === "holdstill-raced") ?? {};
    execFileSync("umount", ["--lazy", mountPoint]);
    assert.ok(mountPoint.startsWith(`${home}/`), mountPoint);
  },
};

/** null: it was done. Anything but a coded refusal is a failure of the test. */
async function outcomeOf(operation: Operation, world: World, sys: Syscalls): Promise<"done" | "refused"> {
  try {
    await operation(world, sys);
    return "done";
  } catch (error) {
    if (isHoldstillError(error) && error.code.startsWith("E_PATH_")) return "refused";
    throw error;
  }
}

/** Alice changes two names, if both are there. */
function swap({ home }: World, [part, decoy]: (typeof swaps)[number]): void {
  asUser(alice, () =>
    kernel.renameat2(AT_FDCWD, path.join(home, part), AT_FDCWD, path.join(home, decoy), RENAME_EXCHANGE),
  );
}

interface Tally {
  done: number;
  refused: number;
}

/** Every call at which she swaps, and every later one at which she swaps back, or never. */
async function race(t: TestContext, base: string, name: string, operation: Operation, table: Syscalls): Promise<Tally> {
  const tally: Tally = { done: 0, refused: 0 };
  let calls = 0;
  assert.equal(
    await outcomeOf(
      operation,
      build(base),
      hooked(() => (calls += 1), table),
    ),
    "done",
    "without a race",
  );
  const descriptors = readdirSync("/proc/self/fd").length;
  for (const pair of swaps) {
    for (let there = 0; there < calls; there += 1) {
      for (const back of [there + 1, Infinity]) {
        const world = build(base);
        const before = fingerprint(world.outside);
        const roots = fingerprint(path.join(world.home, "roots"));
        const sys = hooked((index) => {
          if (index === there || index === back) swap(world, pair);
        }, table);
        const what = `${pair.join(" → ")} at call ${there}, back at ${back}`;
        tally[
          await outcomeOf(operation, world, sys).catch((error: unknown) => assert.fail(`${what}: ${inspect(error)}`))
        ] += 1;
        assert.equal(fingerprint(world.outside), before, what);
        const isEveryOwner = name.includes("any user");
        assert.ok(!what.startsWith("a → roots") || isEveryOwner || isSame(world, roots), what);
      }
    }
  }
  assert.equal(readdirSync("/proc/self/fd").length, descriptors, "no descriptor stays open");
  t.diagnostic(`${calls} calls; ${tally.done} done, ${tally.refused} refused`);
  return tally;
}

/** What root had in her folder lies there under one of two names, and is as it was. */
function isSame({ home }: World, roots: string): boolean {
  return ["roots", "a"].some(
    (name) =>
      lstatSync(path.join(home, name), { throwIfNoEntry: false })?.uid === 0 &&
      fingerprint(path.join(home, name)) === roots,
  );
}

for (const [kind, table] of Object.entries(kernels)) {
  for (const [name, operation] of Object.entries(operations)) {
    test(`${kind}: ${name}, whatever another user swaps meanwhile`, { skip: needsRoot }, async (t) => {
      const { done, refused } = await race(t, ground(t), name, operation, table);
      assert.ok(done > 0 && refused > 0, `${done} done, ${refused} refused`);
    });
  }
}

/** As it is often written. */
const naive: Operation = ({ home }, sys) => {
  for (const part of ["a", "a/b"]) if (statusAt(sys, AT_FDCWD, `${home}/${part}`, part)?.type !== "folder") return;
  sys.close(sys.openat(AT_FDCWD, `${home}/a/b/created`, O_CREAT | O_RDWR, 0o600));
};

test(
  "the races are real: looking first and then using the path makes a file outside",
  { skip: needsRoot },
  async (t) => {
    await assert.rejects(race(t, ground(t), "naive", naive, kernels.openat2), /a → toA at call/);
  },
);
