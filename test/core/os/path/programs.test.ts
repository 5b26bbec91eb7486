import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { AT_FDCWD, O_PATH } from "#core/os/path/flags.js";
import { programAt, systemPath } from "#core/os/path/programs.js";
import { kernel, type Syscalls } from "#core/os/path/syscalls.js";
import { mallory } from "../../../support/process/as-user.js";
import { refusalFrom } from "../../../support/process/path-refusal.js";
import { tempDir } from "../../../support/storage/temp.js";

test("a program is found in the system's folders, whatever PATH and the current folder are", (t) => {
  const dir = tempDir(t);
  mkdirSync(path.join(dir, "bin"));
  for (const name of ["cp", "mount"]) writeFileSync(path.join(dir, "bin", name), "#!/bin/sh\n", { mode: 0o755 });
  const { PATH } = process.env;
  const cwd = process.cwd();
  try {
    for (const wrong of ["", ".", `${dir}/bin`, "bin::"]) {
      process.env["PATH"] = wrong;
      process.chdir(wrong === "." ? path.join(dir, "bin") : dir);
      assert.match(programAt("cp"), /^\/usr\/s?bin\/cp$/);
      assert.match(programAt("mount"), /^\/(usr\/)?s?bin\/mount$/);
    }
  } finally {
    process.env["PATH"] = PATH;
    process.chdir(cwd);
  }
  assert.ok(systemPath.split(":").every((folder) => path.isAbsolute(folder)));
});

test("there is no such program; and a path, or nothing, is not the name of one", () => {
  assert.equal(refusalFrom(() => programAt("no-such-program")).code, "E_COMMAND_MISSING");
  for (const wrong of ["", "./cp", "/bin/cp", "..", "../bin/cp"])
    assert.ok(["E_PATH_UNSAFE", "E_COMMAND_MISSING"].includes(refusalFrom(() => programAt(wrong)).code), wrong);
});

/** As if something on the way to a program had this owner and mode. */
function seenAs(name: string, uid: number, mode: number | null): Syscalls {
  let last = "";
  return {
    ...kernel,
    openat: (dir, part, flags, perms) => {
      last = String(part);
      return kernel.openat(dir, part, flags, perms);
    },
    statx: (dir, part, flags, mask, into) => {
      const result = kernel.statx(dir, part, flags, mask, into);
      if (last !== name) return result;
      const bytes = Buffer.from(into.buffer, into.byteOffset, into.length);
      bytes.writeUInt32LE(uid, 20);
      if (mode !== null) bytes.writeUInt16LE((bytes.readUInt16LE(28) & 0o170000) | mode, 28);
      return result;
    },
  };
}

test("a program that another user can change is refused", () => {
  for (const sys of [
    seenAs("cp", mallory.uid, null),
    seenAs("cp", 0, 0o775),
    seenAs("bin", mallory.uid, null),
    seenAs("usr", 0, 0o777),
  ]) {
    const refused = refusalFrom(() => programAt("cp", sys));
    assert.equal(refused.code, "E_PATH_UNSAFE");
    assert.match(refused.hint, /chown|chmod/);
  }
  // What is not executable is not a program.
  assert.equal(refusalFrom(() => programAt("cp", seenAs("cp", 0, 0o644))).code, "E_COMMAND_MISSING");
});

/** As if /usr/local had this mode, and a program `only-local` were in its folders and in no other. */
function withLocal(localMode: number): Syscalls {
  const sys = seenAs("local", 0, localMode);
  let isLocal = false;
  return {
    ...sys,
    openat: (dir, part, flags, mode) => {
      isLocal = part === "local" || (isLocal && part !== "usr");
      if (part !== "only-local") return sys.openat(dir, part, flags, mode);
      return isLocal ? sys.openat(AT_FDCWD, "/bin/true", O_PATH, 0) : -2;
    },
  };
}

test("folders of the administrator count only if nobody else can write there", () => {
  assert.match(programAt("only-local", withLocal(0o755)), /^\/usr\/local\/s?bin\/only-local$/);
  assert.equal(refusalFrom(() => programAt("only-local", withLocal(0o777))).code, "E_COMMAND_MISSING");
});
