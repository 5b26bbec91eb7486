import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { onEnd } from "../process/on-end.js";

/** A folder of the test's own, removed when the test ends, also when it fails. */
export function tempDir(t: TestContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), "holdstill-test-"));
  onEnd(t, () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
