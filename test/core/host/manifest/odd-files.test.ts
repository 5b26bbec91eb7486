/** A FIFO, a device, or too much in place of a file that a person or a vendor writes: it is refused, and nothing waits for it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { readLock } from "#core/host/manifest/lock.js";
import { reveal } from "#core/host/manifest/secrets.js";
import { readManifest } from "#core/host/manifest/validate.js";
import { trustedUser } from "#core/base/trust/ownership.js";
import { tempDir } from "../../../support/storage/temp.js";

const us = await trustedUser();

/** Why each reader refuses the file. */
const readers = {
  manifest: async (file: string) => {
    const read = await readManifest(file);
    return read.state === "invalid" ? (read.findings[0]?.seen ?? "") : "";
  },
  lock: async (file: string) => {
    try {
      readLock(file);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  },
  secret: async (file: string) => (await reveal({ secret: { file } }, ["/secret"], us)).faults[0]?.seen ?? "",
} as const;

for (const [what, read] of Object.entries(readers))
  test(`a ${what} that is not a file of some size is refused at once`, { timeout: 20_000 }, async (t) => {
    const dir = tempDir(t);
    const at = (name: string): string => path.join(dir, name);
    execFileSync("mkfifo", ["-m", "600", at("fifo")]);
    symlinkSync("fifo", at("link"));
    symlinkSync("/dev/zero", at("endless"));
    mkdirSync(at("folder"), { mode: 0o700 });
    for (const name of ["fifo", "link", "endless", "folder"]) assert.match(await read(at(name)), /regular file/, name);
    writeFileSync(at("huge"), "", { mode: 0o600 });
    truncateSync(at("huge"), 1024 ** 4);
    assert.match(await read(at("huge")), /larger|bytes|MiB/);
  });
