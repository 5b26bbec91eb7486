import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { repository } from "./repository.js";

export interface Page {
  /** Relative to the repository. */
  where: string;
  text: string;
}

/** Every page of the repository, in Markdown. */
export function pages(): Page[] {
  return find("").map((where) => ({ where, text: readFileSync(path.join(repository, where), "utf8") }));
}

function find(folder: string): string[] {
  return readdirSync(path.join(repository, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (!entry.isDirectory()) return name.endsWith(".md") ? [name] : [];
    return ["node_modules", "dist"].includes(entry.name) || entry.name.startsWith(".") ? [] : find(name);
  });
}
