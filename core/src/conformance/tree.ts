import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { entriesOf } from "../host/manifest/folder.js";

/** Name of what the suite makes in each target. */
export const OURS = "holdstill-check";

/** Puts some files of every kind into a folder; what was there of them before is replaced. */
export function furnish(folder: string): void {
  const dir = path.join(folder, OURS);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(path.join(dir, "inner folder"), { recursive: true });
  writeFileSync(path.join(dir, "file"), "content\n");
  writeFileSync(path.join(dir, "inner folder", "large"), Buffer.alloc(256 * 1024, "0123456789abcdef"));
  writeFileSync(path.join(dir, "private"), "for the owner\n");
  chmodSync(path.join(dir, "private"), 0o600);
  writeFileSync(path.join(dir, "empty"), "");
  symlinkSync("file", path.join(dir, "link"));
}

/** Changes what furnish made: a file more, one less, one other. */
export function disturb(folder: string): void {
  const dir = path.join(folder, OURS);
  writeFileSync(path.join(dir, "file"), "changed after the cut\n");
  writeFileSync(path.join(dir, "late"), "made after the cut\n");
  rmSync(path.join(dir, "private"));
}

export function unfurnish(folder: string): void {
  rmSync(path.join(folder, OURS), { recursive: true, force: true });
}

/** Every entry below a folder, with what its content is; "/" is its separator. */
export async function portrait(folder: string): Promise<Map<string, string>> {
  const entries = await entriesOf(folder);
  return new Map(
    entries.map(({ file, stats }) => {
      const mode = (stats.mode & 0o7777).toString(8);
      const what = stats.isSymbolicLink()
        ? `link to ${readlinkSync(file)}`
        : stats.isFile()
          ? `file of ${stats.size} bytes, mode ${mode}, sha256 ${hashOf(file)}`
          : `${stats.isDirectory() ? "folder" : "special file"}, mode ${mode}`;
      return [path.relative(folder, file), what];
    }),
  );
}

/** What differs, a phrase each. */
export function treeDifferences(expected: ReadonlyMap<string, string>, seen: ReadonlyMap<string, string>): string[] {
  const names = new Set([...expected.keys(), ...seen.keys()]);
  return [...names].flatMap((name) => {
    const [was, is] = [expected.get(name), seen.get(name)];
    return was === is
      ? []
      : [`${name === "" ? "the folder itself" : name} was ${was ?? "not there"}, and is ${is ?? "not there"}`];
  });
}

function hashOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16);
}
