import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { loadSettings } from "#core/base/config/load.js";
import { draftConfig } from "#core/engine/setup/draft-config.js";
import { parseText } from "#core/base/config/document.js";
import { tempDir } from "../../../support/storage/temp.js";

test("without a known server the draft lists the installed writers, and is a valid config", async (t) => {
  const dir = tempDir(t);
  const { text, targets } = await draftConfig({}, dir);
  assert.deepEqual(targets, []);
  assert.match(text, /^plugins: \[\]$/m);
  assert.match(text, /# - use: writer-exec$/m);
  assert.match(text, /# Without a provider in this list, holdstill uses provider-reflink: /);
  const file = path.join(dir, "holdstill.yaml");
  writeFileSync(file, text);
  assert.deepEqual((await loadSettings({ file, env: {} })).instances, []);
});

/** A line of /proc/net/unix. */
const line = (inode: number, name: string): string => `0: 00000002 00000000 00010000 0001 01 ${inode} ${name}\n`;

/** What proc(5) would show of a process. */
function processIn(proc: string, pid: number, name: string, cwd: string, unix: string): void {
  const dir = path.join(proc, String(pid));
  for (const folder of ["fd", "ns", "net"]) mkdirSync(path.join(dir, folder), { recursive: true });
  mkdirSync(cwd, { recursive: true });
  writeFileSync(path.join(cwd, "PG_VERSION"), "15\n");
  writeFileSync(path.join(dir, "comm"), `${name}\n`);
  writeFileSync(path.join(dir, "status"), "PPid:\t0\n");
  writeFileSync(path.join(dir, "cmdline"), `${name}\0-D\0${cwd}\0`);
  writeFileSync(path.join(dir, "cgroup"), "0::/\n");
  writeFileSync(path.join(dir, "net/unix"), `Num\n${unix}`);
  symlinkSync(cwd, path.join(dir, "cwd"));
  symlinkSync("/", path.join(dir, "root"));
  symlinkSync("mnt:[1]", path.join(dir, "ns/mnt"));
  symlinkSync(`socket:[${pid}]`, path.join(dir, "fd/3"));
}

test("the name of a process's folder, or of its socket, adds no line to root's config", async (t) => {
  const dir = tempDir(t);
  const proc = path.join(dir, "proc");
  const evil = "\n  - use: writer-exec@^0\n    options: { freeze: /tmp/evil }\n#";
  mkdirSync(path.join(proc, "self/ns"), { recursive: true });
  symlinkSync("mnt:[1]", path.join(proc, "self/ns/mnt"));
  const forged = `/tmp/x\n${line(103, "/tmp/evil/.s.PGSQL.5432")}`;
  const unix = `${line(7, forged)}${line(103, "/run/pg/.s.PGSQL.5432")}`;
  processIn(proc, 101, "postgres", path.join(dir, `data${evil}`), unix);
  processIn(proc, 102, "postgres", path.join(dir, "data\u2028x"), unix);
  processIn(proc, 103, "postgres", path.join(dir, `good: "a" # {b} 'c' [d]`), unix);
  const { text, targets } = await draftConfig({}, proc);
  assert.ok(targets.length <= 1, text);
  const { value, findings } = parseText("/x.yaml", text);
  assert.deepEqual(findings, []);
  const { plugins } = value as { plugins: { use: string; options?: Record<string, unknown> }[] };
  assert.deepEqual(
    plugins.filter(({ use }) => use.startsWith("writer-")).map(({ use }) => use.replace(/@.*/, "")),
    targets.length === 0 ? [] : ["writer-postgres"],
  );
  assert.match(text, /good: "a" # \{b\} 'c' \[d\]/, "the server is described");
  assert.doesNotMatch(text, /^\s*- use: writer-exec|^[^#]*evil/m);
  assert.match(text, /# Left out, because a name has control characters/);
});
