import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { tempDir } from "../storage/temp.js";
import { repository } from "../repository.js";

/** A copy of the built core that uses the dependencies of the repository, except those named. @returns its folder core/. */
export function installationCopy(t: TestContext, { without = [] }: { without?: readonly string[] } = {}): string {
  const root = tempDir(t);
  const core = path.join(root, "core");
  for (const part of ["dist", "bin", "package.json"])
    cpSync(path.join(repository, "core", part), path.join(core, part), {
      recursive: true,
      filter: (file) => !/\.(d\.ts|map)$/.test(file),
    });
  for (const shared of ["schemas", "plugins"]) symlinkSync(path.join(repository, shared), path.join(root, shared));
  const modules = path.join(root, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(path.join(repository, "node_modules")))
    if (!without.includes(name)) symlinkSync(path.join(repository, "node_modules", name), path.join(modules, name));
  return core;
}
