/** `npm run package:check`: makes the packages twice, in two folders, and fails if they differ. Prints their sums. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const [one = "", other = ""] = [1, 2].map(() => sumsOfNewPackages());
process.stdout.write(one);
if (one !== other) {
  process.stderr.write(`The second time, the packages were others:\n${other}`);
  process.exitCode = 1;
}

function sumsOfNewPackages(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "holdstill-package-"));
  try {
    execFileSync(process.execPath, [path.join(import.meta.dirname, "package.js"), folder], { stdio: "ignore" });
    return readFileSync(path.join(folder, "SHA256SUMS"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
