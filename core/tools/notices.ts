import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** The licenses of all packages that these files, relative to the repository, are of: a text for the package's THIRD-PARTY-NOTICES. */
export function noticesOf(repository: string, files: readonly string[]): string {
  const notices = packageFolders(files).map((folder) => noticeOf(path.join(repository, folder)));
  return `holdstill contains code of these packages.\n\n${notices.join("\n")}`;
}

/** The folders of the packages that files, relative to the repository, are of. */
export function packageFolders(files: readonly string[]): string[] {
  const folders = files.flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  return [...new Set(folders)].toSorted();
}

function noticeOf(folder: string): string {
  const manifest = path.join(folder, "package.json");
  const { name, version, license } = JSON.parse(readFileSync(manifest, "utf8")) as Record<string, string>;
  const file = readdirSync(folder).find((one) => /^licen[cs]e(\.|$)/i.test(one));
  const text = file === undefined ? "" : `\n${readFileSync(path.join(folder, file), "utf8").trim()}\n`;
  return `${"-".repeat(80)}\n${name} ${version}, ${license}\n${text}`;
}
