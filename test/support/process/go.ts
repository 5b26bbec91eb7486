import { execFileSync } from "node:child_process";
import { installedProgram } from "#core/os/path/programs.js";

/** Why tests of plugins in Go are skipped; false: they are not. */
export const goIsMissing = installedProgram("go") === null ? "go is not installed: npm run test:setup" : false;

/** Builds a plugin in Go, as its author does. The compiler needs no network: the plugin has no dependencies. */
export function buildGo(dir: string): void {
  const { PATH, HOME } = process.env;
  execFileSync("go", ["build", "-o", "plugin", "."], { cwd: dir, env: { PATH, HOME, GOPROXY: "off" }, stdio: "pipe" });
}
