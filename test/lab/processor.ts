import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { repository } from "../support/repository.js";

const source = path.join(repository, "test/lab/ptrace.c");

/**
 * The library that a user-mode kernel of that name needs (see ptrace.c), built into `folder` where it isn't
 * there yet; undefined where none is needed. Fails with what the compiler said.
 */
export function preloadFor(kernel: string, folder: string): string | undefined {
  if (!oldKernels.includes(kernel)) return undefined;
  // By its source: other versions of the laboratory use the same folder.
  const version = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 12);
  const library = path.join(folder, `ptrace-${version}.so`);
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const part = `${library}.${process.pid}`;
  try {
    execFileSync("cc", ["-O2", "-shared", "-fPIC", "-o", part, source], { stdio: ["ignore", "ignore", "pipe"] });
    renameSync(part, library);
  } finally {
    rmSync(part, { force: true });
  }
  return library;
}

/** Those that trace a guest's processes. */
const oldKernels = ["6.1", "6.12"];
